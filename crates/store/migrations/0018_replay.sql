-- Deciding again what came since a time, as a person asked: the deliveries between two numbers, by
-- one connection or by all. Who works one, and until when they hold it, as with backfills.
CREATE TABLE replay (
    id {ID},
    connection TEXT,
    since BIGINT NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    state TEXT NOT NULL,
    found BIGINT NOT NULL,
    looked BIGINT NOT NULL,
    put_back BIGINT NOT NULL,
    place BIGINT NOT NULL,
    who TEXT NOT NULL,
    at BIGINT NOT NULL,
    ended_at BIGINT,
    holder TEXT,
    held_until BIGINT NOT NULL
);
-- One at a time.
CREATE UNIQUE INDEX replay_running ON replay (state) WHERE state = 'running';
