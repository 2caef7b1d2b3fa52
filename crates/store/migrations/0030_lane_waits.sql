-- The lanes in which something waits. A lane that is empty is due never, so its time says as much as
-- its count does, and does not change with each item that is put in or taken out.
CREATE INDEX lane_waiting ON lane (kind, due_at) WHERE due_at <> 9223372036854775807;
DROP INDEX lane_due;
