-- Who works a backfill, and until when they hold it.
ALTER TABLE backfill ADD COLUMN holder TEXT;
ALTER TABLE backfill ADD COLUMN held_until BIGINT NOT NULL DEFAULT 0;

-- Who gave feedback under an address: looked up when contacts are merged.
CREATE INDEX ticket_email ON ticket (workspace, email) WHERE email IS NOT NULL;

-- The contacts that a mending copy has met in Intercom's list. Who is here and was not met is asked
-- for one by one; the rows go when that is done.
CREATE TABLE contact_met (
    run BIGINT NOT NULL,
    remote TEXT NOT NULL,
    PRIMARY KEY (run, remote)
);

-- What somebody chose for themselves on a page: which columns a list shows.
CREATE TABLE account_choice (
    account BIGINT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (account, name)
);
