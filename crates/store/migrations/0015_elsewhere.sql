-- Who somebody is at the provider of OpenID Connect that they sign in with. Issuer and subject
-- together never change and are never given to another; the e-mail address is only for people to
-- read. An account has one at most.
CREATE TABLE account_identity (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    account BIGINT NOT NULL UNIQUE,
    email TEXT NOT NULL,
    joined_at BIGINT NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (issuer, subject)
);

-- Sign-ins at a provider that came to their end, so that none does twice. The key is a digest of
-- what the browser held; it is kept as long as the browser's would be taken.
CREATE TABLE used_sign_in (
    key TEXT NOT NULL PRIMARY KEY,
    ends_at BIGINT NOT NULL
);
CREATE INDEX used_sign_in_ends ON used_sign_in (ends_at);
