-- People of a workspace: users and leads copied from Intercom, and those who were imported.
-- What is listed and looked up stands in columns; all else in two maps, by where it came from.
CREATE TABLE contact (
    id {ID},
    workspace TEXT NOT NULL,
    remote TEXT,
    external TEXT,
    email TEXT,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    life BIGINT NOT NULL,
    unclear BIGINT NOT NULL,
    differs BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    digest BIGINT NOT NULL,
    since BIGINT NOT NULL,
    remote_fields TEXT NOT NULL,
    edits TEXT NOT NULL
);
CREATE UNIQUE INDEX contact_remote ON contact (workspace, remote);
CREATE INDEX contact_external ON contact (workspace, external);
CREATE INDEX contact_email ON contact (workspace, email);
CREATE INDEX contact_listed ON contact (workspace, life, id);
CREATE INDEX contact_role ON contact (workspace, role, life, id);
CREATE INDEX contact_unclear ON contact (workspace, id) WHERE unclear = 1;
CREATE INDEX contact_differs ON contact (workspace, id) WHERE differs = 1;
{FULLTEXT contact_text};

-- Where those are that were merged into another one.
CREATE TABLE contact_alias (
    was BIGINT NOT NULL PRIMARY KEY,
    workspace TEXT NOT NULL,
    remote TEXT,
    contact BIGINT NOT NULL,
    at BIGINT NOT NULL
);
CREATE UNIQUE INDEX contact_alias_remote ON contact_alias (workspace, remote);
CREATE INDEX contact_alias_contact ON contact_alias (contact);

-- Digests of the ids of those who were erased.
CREATE TABLE contact_tombstone (
    workspace TEXT NOT NULL,
    digest BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (workspace, digest)
);

-- Questions about who somebody is.
CREATE TABLE contact_conflict (
    id {ID},
    workspace TEXT NOT NULL,
    contact BIGINT NOT NULL,
    known_by TEXT NOT NULL,
    candidates TEXT NOT NULL,
    at BIGINT NOT NULL,
    decided_at BIGINT,
    decision TEXT
);
CREATE INDEX contact_conflict_open ON contact_conflict (workspace, id) WHERE decided_at IS NULL;
CREATE INDEX contact_conflict_contact ON contact_conflict (contact);

CREATE TABLE company (
    id {ID},
    workspace TEXT NOT NULL,
    remote TEXT NOT NULL,
    name TEXT NOT NULL,
    plan TEXT,
    monthly_spend BIGINT,
    people BIGINT,
    updated_at BIGINT NOT NULL,
    digest BIGINT NOT NULL,
    since BIGINT NOT NULL,
    gone BIGINT NOT NULL,
    remote_fields TEXT NOT NULL
);
CREATE UNIQUE INDEX company_remote ON company (workspace, remote);
CREATE INDEX company_listed ON company (workspace, gone, id);
{FULLTEXT company_text};

-- Who belongs to which company. The company may not have been read yet.
CREATE TABLE membership (
    contact BIGINT NOT NULL,
    workspace TEXT NOT NULL,
    company TEXT NOT NULL,
    PRIMARY KEY (contact, company)
);
CREATE INDEX membership_company ON membership (workspace, company, contact);

-- What is switched on where, and how many there were when they were last counted.
CREATE TABLE contact_sync (
    workspace TEXT NOT NULL PRIMARY KEY,
    switched_on BIGINT NOT NULL,
    updates BIGINT NOT NULL,
    since BIGINT,
    copied_at BIGINT,
    swept_at BIGINT,
    ours BIGINT,
    theirs BIGINT,
    counted_at BIGINT
);

-- Runs of copying and sweeping: how far, and what came of it.
CREATE TABLE contact_run (
    id {ID},
    workspace TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    phase TEXT NOT NULL,
    cursor TEXT,
    position BIGINT NOT NULL,
    total BIGINT,
    began_at BIGINT NOT NULL,
    resumed_at BIGINT NOT NULL,
    resumed_from BIGINT NOT NULL,
    ended_at BIGINT,
    holder TEXT,
    held_until BIGINT NOT NULL,
    fresh BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    companies BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    restarts BIGINT NOT NULL,
    waiting TEXT,
    reasons TEXT NOT NULL
);
CREATE INDEX contact_run_workspace ON contact_run (workspace, id);
-- One at a time, whichever process begins it.
CREATE UNIQUE INDEX contact_run_running ON contact_run (workspace) WHERE ended_at IS NULL;
