-- What is kept of the calls that an attempt made: bounded, without secrets, as long as payloads.
ALTER TABLE attempt ADD COLUMN calls TEXT;

-- Deliveries that someone has decided again, many at a time. One run at a time for a connection.
CREATE TABLE replay_run (
    id {ID},
    connection TEXT NOT NULL,
    asked TEXT NOT NULL,
    started_by TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    total BIGINT NOT NULL,
    done BIGINT NOT NULL,
    put_back BIGINT NOT NULL,
    reached BIGINT NOT NULL,
    state BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE UNIQUE INDEX replay_run_live ON replay_run (connection) WHERE state = 0;

CREATE TABLE replay_item (
    run BIGINT NOT NULL,
    event BIGINT NOT NULL,
    PRIMARY KEY (run, event)
);
