-- What orders lines whose times are the same to the millisecond: how far behind its millisecond one
-- was written, where the provider tells so much, and the number under which it came to us.
ALTER TABLE line ADD COLUMN sent_ns BIGINT NOT NULL DEFAULT 0;
ALTER TABLE line ADD COLUMN arrived BIGINT NOT NULL DEFAULT 0;

-- The place of a message among those that were decided on together.
ALTER TABLE outbound ADD COLUMN place BIGINT NOT NULL DEFAULT 0;
