-- Version 2: live events, and what administrators keep.

-- The outbox: what listeners missed is read from here. Bounded: the oldest of a user go.
CREATE TABLE event (
    tenant TEXT    NOT NULL,
    user   TEXT    NOT NULL,
    seq    INTEGER NOT NULL,
    json   TEXT    NOT NULL,
    PRIMARY KEY (tenant, user, seq)
) STRICT, WITHOUT ROWID;

-- The last place that was given in a user's sequence; it outlives the events.
CREATE TABLE event_counter (
    tenant TEXT    NOT NULL,
    user   TEXT    NOT NULL,
    last   INTEGER NOT NULL,
    PRIMARY KEY (tenant, user)
) STRICT, WITHOUT ROWID;

CREATE TABLE document (
    tenant TEXT NOT NULL,
    kind   TEXT NOT NULL,
    id     TEXT NOT NULL,
    json   TEXT NOT NULL,
    PRIMARY KEY (tenant, kind, id)
) STRICT, WITHOUT ROWID;

-- Append-only: every change of a document.
CREATE TABLE audit (
    seq    INTEGER NOT NULL PRIMARY KEY,
    at     INTEGER NOT NULL,
    actor  TEXT    NOT NULL,
    tenant TEXT    NOT NULL,
    kind   TEXT    NOT NULL,
    id     TEXT    NOT NULL,
    before TEXT,
    after  TEXT
) STRICT;

CREATE INDEX audit_of_tenant ON audit (tenant, seq);
