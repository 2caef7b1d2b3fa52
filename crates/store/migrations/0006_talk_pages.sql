-- Conversations as people look through them. The platform of rows from before is set when
-- something next happens in them.
ALTER TABLE request ADD COLUMN platform TEXT;
CREATE INDEX request_opened ON request (opened_at, account, end_user, generation);
CREATE INDEX request_live ON request (live, opened_at, account, end_user, generation);
CREATE INDEX request_desk ON request (desk, opened_at, account, end_user, generation);
CREATE INDEX request_platform ON request (platform, opened_at, account, end_user, generation);
CREATE INDEX request_window_page ON request (window_ends_at, account, end_user, generation)
    WHERE live = 1;
CREATE INDEX request_name ON request (key) WHERE key IS NOT NULL;

-- End users as people look through them.
CREATE INDEX end_user_since ON end_user (since, account, id);
CREATE INDEX end_user_blocked ON end_user (since, account, id) WHERE blocked = 1;
CREATE INDEX identity_value ON identity (value);

-- What a person decided about a message that reached nobody, or may have.
ALTER TABLE outbound ADD COLUMN resolved TEXT;
ALTER TABLE outbound ADD COLUMN resolved_by TEXT;
ALTER TABLE outbound ADD COLUMN resolved_at BIGINT;
CREATE INDEX outbound_unresolved ON outbound (delivery, at, key)
    WHERE delivery IN ('failed', 'not_sent', 'held') AND resolved IS NULL;
