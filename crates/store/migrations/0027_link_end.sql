-- When a link ended. Of those that a version before ended it is not known.
ALTER TABLE link ADD COLUMN ended_at BIGINT;
