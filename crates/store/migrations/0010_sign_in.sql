-- The second factor of an account: what its authenticator app and we both know, sealed as the
-- secrets of settings are. It counts once a code of it was seen (`confirmed_at`). `last_step` is the
-- time step of the last code that was used, so that none is used twice. Failures are counted from
-- `failed_at` on.
CREATE TABLE second_factor (
    account BIGINT NOT NULL PRIMARY KEY,
    sealed TEXT NOT NULL,
    sealed_by TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    confirmed_at BIGINT,
    last_step BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    failed_at BIGINT NOT NULL
);

-- Codes that are each used once in place of the app's. The key is the digest of the code.
CREATE TABLE recovery_code (
    account BIGINT NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (account, key)
);

-- Who gave the right password and is asked for the second factor. The key is the digest of what the
-- browser holds.
CREATE TABLE half_way (
    key TEXT NOT NULL PRIMARY KEY,
    account BIGINT NOT NULL,
    ends_at BIGINT NOT NULL
);
CREATE INDEX half_way_account ON half_way (account);
CREATE INDEX half_way_ends ON half_way (ends_at);

-- Tries to sign in that have not succeeded, so that all processes together take no more than one
-- would. The name is the digest of whose and from where; a row counts for some minutes and is
-- removed then.
CREATE TABLE sign_in_try (
    id {ID},
    name TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX sign_in_try_name ON sign_in_try (name, at);
CREATE INDEX sign_in_try_at ON sign_in_try (at);
