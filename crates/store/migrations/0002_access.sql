-- People who may sign in. The password is an argon2id hash in its own text form; NULL until the
-- person chose one.
CREATE TABLE account (
    id {ID},
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    projects TEXT NOT NULL,
    password TEXT,
    active BIGINT NOT NULL,
    version BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    signed_in_at BIGINT
);

-- The right to choose a password once: the first owner's (account 0), a new person's, or after a
-- reset. The key is the digest of the code.
CREATE TABLE invitation (
    key TEXT NOT NULL PRIMARY KEY,
    account BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL
);
CREATE INDEX invitation_account ON invitation (account);

-- Who is signed in. The key is the digest of what the browser holds.
CREATE TABLE session (
    key TEXT NOT NULL PRIMARY KEY,
    account BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    browser TEXT NOT NULL,
    address TEXT NOT NULL
);
CREATE INDEX session_account ON session (account);
CREATE INDEX session_ends ON session (ends_at);

-- Tokens of the REST API. The key is the digest of the token.
CREATE TABLE api_token (
    id {ID},
    key TEXT NOT NULL UNIQUE,
    account BIGINT NOT NULL,
    name TEXT NOT NULL,
    hint TEXT NOT NULL,
    scopes TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    used_at BIGINT,
    ended_at BIGINT
);
CREATE INDEX api_token_account ON api_token (account);

-- Who changed what. Only ever added to.
CREATE TABLE audit (
    id {ID},
    at BIGINT NOT NULL,
    who TEXT NOT NULL,
    account BIGINT,
    what TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
);

-- Writes by the REST API that named themselves, with what was answered.
CREATE TABLE api_write (
    account BIGINT NOT NULL,
    key TEXT NOT NULL,
    request TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    status BIGINT,
    body TEXT,
    PRIMARY KEY (account, key)
);
CREATE INDEX api_write_made ON api_write (made_at);

-- What people look for: the deliveries about one thing, and what was refused.
CREATE INDEX event_lane ON event (lane, id);
CREATE INDEX effect_rejected ON effect (id) WHERE state = 3;
CREATE INDEX lane_failing ON lane (failures) WHERE failures > 0;
CREATE INDEX link_since ON link (since);
