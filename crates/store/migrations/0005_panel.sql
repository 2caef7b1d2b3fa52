-- What was last read of remote things for people to look at: conversations, contacts, names of
-- attributes. Nothing is decided by it; it may be taken away at any time and is read again.
CREATE TABLE reading (
    connection TEXT NOT NULL,
    kind TEXT NOT NULL,
    remote TEXT NOT NULL,
    -- What was read, as JSON; NULL until a read succeeds, and when the far side says it is gone.
    body TEXT,
    read_at BIGINT,
    tried_at BIGINT NOT NULL,
    -- Why the latest try failed, in words.
    trouble TEXT,
    PRIMARY KEY (connection, kind, remote)
);
CREATE INDEX reading_age ON reading (tried_at);

-- Answers to customers that wait for a person's word.
CREATE INDEX effect_held ON effect (site, issue) WHERE state = 6;
