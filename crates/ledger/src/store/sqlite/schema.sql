-- Version 3. Times are microseconds since 1970, UTC: integers sort, and compare in any time zone.
-- Money is two integers of the same sign, whole dollars and pico-dollars: one would overflow at
-- nine million dollars.

CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE rate_card (
    hash TEXT NOT NULL PRIMARY KEY,
    json TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Append-only; the truth. All other tables are folds of it.
CREATE TABLE entry (
    seq               INTEGER NOT NULL PRIMARY KEY,
    id                TEXT NOT NULL UNIQUE, -- req_….1.hold
    hold_ref          TEXT REFERENCES entry (id),
    kind              TEXT NOT NULL,
    at                INTEGER NOT NULL,
    tenant            TEXT NOT NULL,
    team              TEXT,
    user              TEXT NOT NULL,
    key               TEXT,
    agent             TEXT,
    thread            TEXT,
    run               TEXT,
    request           TEXT NOT NULL,
    attempt           INTEGER NOT NULL,
    provider          TEXT NOT NULL,
    model_asked       TEXT NOT NULL,
    streamed          INTEGER NOT NULL,
    held_usd          INTEGER NOT NULL,
    held_pico         INTEGER NOT NULL,
    charged_usd       INTEGER NOT NULL,
    charged_pico      INTEGER NOT NULL,
    overrun           INTEGER NOT NULL,
    -- of a hold, and again of a correction
    deadline          INTEGER,
    held_tokens       INTEGER,
    anatomy           TEXT,
    claims            TEXT,
    -- of an ending
    origin            TEXT,
    reason            TEXT,
    cause             TEXT, -- of a correction
    rebilled          INTEGER, -- of one with a bill: when the attempt had ended
    -- of a settled one, or a correction with a bill
    model_served      TEXT,
    usage             TEXT,
    cost_usd          INTEGER, -- null is unknown, never zero
    cost_pico         INTEGER,
    cost_status       TEXT,
    cost_inexact      INTEGER,
    cost_assumed_rate INTEGER,
    card_hash         TEXT REFERENCES rate_card (hash),
    rule              TEXT,
    served            TEXT,
    listed_usd        INTEGER, -- by our list, where the cost is the provider's figure
    listed_pico       INTEGER,
    others            TEXT -- other models that took part, each with its usage and card
) STRICT;

CREATE INDEX entry_of_request ON entry (request);
CREATE UNIQUE INDEX entry_ends_once ON entry (request, attempt) WHERE kind NOT IN ('hold', 'adjust');
CREATE INDEX entry_of_tenant ON entry (tenant) WHERE kind = 'hold';
CREATE INDEX entry_of_user ON entry (tenant, user) WHERE kind = 'hold';

-- Open holds only: the row goes with the ending.
CREATE TABLE hold (
    request TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    tenant  TEXT NOT NULL,
    user    TEXT NOT NULL,
    entry   INTEGER NOT NULL REFERENCES entry (seq),
    PRIMARY KEY (request, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE balance (
    tenant         TEXT NOT NULL,
    user           TEXT NOT NULL, -- of a thread or a run, else empty
    scope_kind     TEXT NOT NULL,
    scope_id       TEXT NOT NULL,
    window         TEXT NOT NULL,
    window_start   INTEGER NOT NULL,
    window_end     INTEGER NOT NULL,
    held_usd       INTEGER NOT NULL,
    held_pico      INTEGER NOT NULL,
    held_tokens    INTEGER NOT NULL,
    held_requests  INTEGER NOT NULL,
    spent_usd      INTEGER NOT NULL,
    spent_pico     INTEGER NOT NULL,
    spent_tokens   INTEGER NOT NULL,
    spent_requests INTEGER NOT NULL,
    PRIMARY KEY (tenant, user, scope_kind, scope_id, window, window_start, window_end)
) STRICT, WITHOUT ROWID;

CREATE TABLE rollup (
    tenant       TEXT NOT NULL,
    hour         INTEGER NOT NULL,
    user         TEXT NOT NULL,
    agent        TEXT NOT NULL, -- empty without an agent: a part of the key cannot be null
    provider     TEXT NOT NULL,
    model        TEXT NOT NULL,
    requests     INTEGER NOT NULL,
    input        INTEGER NOT NULL,
    cache_read   INTEGER NOT NULL,
    cache_write  INTEGER NOT NULL,
    output       INTEGER NOT NULL,
    reasoning    INTEGER NOT NULL,
    cost_usd     INTEGER NOT NULL,
    cost_pico    INTEGER NOT NULL,
    unknown_cost INTEGER NOT NULL,
    estimated    INTEGER NOT NULL,
    charged_usd  INTEGER NOT NULL,
    charged_pico INTEGER NOT NULL,
    PRIMARY KEY (tenant, hour, user, agent, provider, model)
) STRICT, WITHOUT ROWID;

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
