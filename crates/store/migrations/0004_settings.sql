-- What was configured on the pages, beside the configuration file: sites, workspaces, bindings.
-- `body` is JSON without secrets, changed additively. Secrets are sealed: `sealed` is readable only
-- with the key that `sealed_by` names, which is not in the database.
CREATE TABLE setting (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT NOT NULL,
    sealed TEXT,
    sealed_by TEXT,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL,
    PRIMARY KEY (kind, name)
);

-- Counts all changes of `setting`. Each row's version is the count of its last change, so that a
-- row that was removed and made again is another one; every process notices by it that something
-- changed.
CREATE TABLE setting_count (
    one BIGINT NOT NULL PRIMARY KEY,
    changes BIGINT NOT NULL
);
INSERT INTO setting_count (one, changes) VALUES (1, 0);
