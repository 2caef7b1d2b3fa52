-- The status of an issue as it was last read, so that the report can be filtered by it. Empty where a
-- version before read the issue; looking for what is gone, every hour, fills it in.
ALTER TABLE issue ADD COLUMN status TEXT NOT NULL DEFAULT '';
ALTER TABLE asked ADD COLUMN status TEXT NOT NULL DEFAULT '';
CREATE INDEX asked_status ON asked (live, status, site, project, issue);

-- What our account lacks in a joined project, in words that the platform has for it; empty where it
-- lacks nothing. `since` is when that changed.
CREATE TABLE project_access (
    site TEXT NOT NULL,
    project TEXT NOT NULL,
    lacks TEXT NOT NULL,
    since BIGINT NOT NULL,
    checked_at BIGINT NOT NULL,
    PRIMARY KEY (site, project)
);
