-- What optimizing calls came to. No money: nothing here is folded into a balance. Both tables are
-- bounded, the oldest rows go.

CREATE TABLE IF NOT EXISTS receipt (
    seq     INTEGER NOT NULL PRIMARY KEY,
    request TEXT    NOT NULL UNIQUE,
    tenant  TEXT    NOT NULL,
    user    TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    json    TEXT    NOT NULL
) STRICT;

CREATE INDEX IF NOT EXISTS receipt_of_tenant ON receipt (tenant, at);

-- What was decided for a conversation, by the hash of all that was said in it so far.
CREATE TABLE IF NOT EXISTS decided (
    seq    INTEGER NOT NULL PRIMARY KEY,
    tenant TEXT    NOT NULL,
    user   TEXT    NOT NULL,
    link   TEXT    NOT NULL,
    json   TEXT    NOT NULL,
    UNIQUE (tenant, user, link)
) STRICT;
