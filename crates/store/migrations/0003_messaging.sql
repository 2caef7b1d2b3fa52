-- People on channels.
CREATE TABLE end_user (
    account TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT,
    blocked BIGINT NOT NULL,
    customer TEXT,
    since BIGINT NOT NULL,
    PRIMARY KEY (account, id)
);

-- What they are known by.
CREATE TABLE identity (
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    end_user TEXT NOT NULL,
    PRIMARY KEY (account, kind, value)
);
CREATE INDEX identity_end_user ON identity (account, end_user);

-- Their conversations, each with the request that it feeds.
CREATE TABLE request (
    account TEXT NOT NULL,
    end_user TEXT NOT NULL,
    generation BIGINT NOT NULL,
    live BIGINT NOT NULL,
    desk TEXT NOT NULL,
    site TEXT NOT NULL,
    issue TEXT,
    key TEXT,
    conversation TEXT,
    opened_at BIGINT NOT NULL,
    window_ends_at BIGINT,
    state TEXT NOT NULL,
    PRIMARY KEY (account, end_user, generation)
);
CREATE UNIQUE INDEX request_issue ON request (site, issue) WHERE issue IS NOT NULL;
CREATE INDEX request_conversation ON request (account, conversation) WHERE live = 1;
CREATE INDEX request_window ON request (window_ends_at) WHERE live = 1;

-- The comments in which messages are gathered.
CREATE TABLE gathering (
    account TEXT NOT NULL,
    end_user TEXT NOT NULL,
    generation BIGINT NOT NULL,
    number BIGINT NOT NULL,
    comment TEXT NOT NULL,
    PRIMARY KEY (account, end_user, generation, number)
);

-- The messages of end users as they stand there.
CREATE TABLE line (
    account TEXT NOT NULL,
    message TEXT NOT NULL,
    part BIGINT NOT NULL,
    end_user TEXT NOT NULL,
    generation BIGINT NOT NULL,
    gathering BIGINT NOT NULL,
    place TEXT NOT NULL,
    sent_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    body TEXT NOT NULL,
    written BIGINT NOT NULL,
    PRIMARY KEY (account, message, part)
);
CREATE INDEX line_gathering ON line (account, end_user, generation, gathering);
CREATE INDEX line_kept ON line (received_at) WHERE body <> '';

-- The messages to end users.
CREATE TABLE outbound (
    key TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    end_user TEXT NOT NULL,
    generation BIGINT NOT NULL,
    comment TEXT,
    channel TEXT NOT NULL,
    body TEXT NOT NULL,
    delivery TEXT NOT NULL,
    reason TEXT,
    at BIGINT NOT NULL,
    remote_id TEXT
);
CREATE INDEX outbound_kept ON outbound (at) WHERE body <> '';
CREATE INDEX outbound_request ON outbound (account, end_user, generation);
CREATE INDEX outbound_remote ON outbound (account, remote_id) WHERE remote_id IS NOT NULL;

-- The names of webhook calls, until their signatures expire.
CREATE TABLE webhook_call (
    account TEXT NOT NULL,
    id TEXT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (account, id)
);

-- What is looked through again and again: since when, and up to when that was done.
CREATE TABLE watch (
    name TEXT NOT NULL PRIMARY KEY,
    since BIGINT NOT NULL,
    watermark BIGINT NOT NULL
);
