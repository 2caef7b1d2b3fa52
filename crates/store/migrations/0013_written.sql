-- When a line was last brought to Jira: the next edit of its text waits behind that.
ALTER TABLE line ADD COLUMN written_at BIGINT;
