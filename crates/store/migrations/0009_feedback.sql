-- What feedback is gathered for.
CREATE TABLE product (
    id {ID},
    workspace TEXT NOT NULL,
    name TEXT NOT NULL,
    live BIGINT NOT NULL,
    declared BIGINT NOT NULL,
    settings TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    UNIQUE (workspace, name)
);

-- The tags that count. One that is not chosen any more stays, with since when it counted.
CREATE TABLE product_tag (
    product BIGINT NOT NULL,
    tag TEXT NOT NULL,
    name TEXT NOT NULL,
    chosen BIGINT NOT NULL,
    since BIGINT NOT NULL,
    gone_at BIGINT,
    PRIMARY KEY (product, tag)
);

-- One piece of feedback each. What says who and what is empty once it was erased. `merged_into` is
-- the ticket that stands for this one; of the one that stands, people, companies and spend count
-- all that are merged into it.
CREATE TABLE ticket (
    id {ID},
    product BIGINT NOT NULL,
    workspace TEXT NOT NULL,
    conversation TEXT NOT NULL,
    part TEXT NOT NULL,
    piece BIGINT NOT NULL,
    level TEXT NOT NULL,
    status BIGINT NOT NULL,
    importance BIGINT NOT NULL,
    assignee TEXT,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    author TEXT NOT NULL,
    email TEXT,
    contact TEXT,
    company TEXT,
    company_name TEXT,
    plan TEXT,
    own_spend BIGINT NOT NULL,
    transcript TEXT NOT NULL,
    said_at BIGINT NOT NULL,
    captured_at BIGINT NOT NULL,
    merged_into BIGINT,
    people BIGINT NOT NULL,
    companies BIGINT NOT NULL,
    spend BIGINT NOT NULL,
    site TEXT,
    issue TEXT,
    issue_key TEXT,
    issues_made BIGINT NOT NULL,
    erased TEXT,
    erased_at BIGINT,
    version BIGINT NOT NULL,
    UNIQUE (product, conversation, part, piece)
);
CREATE INDEX ticket_message ON ticket (workspace, conversation);
CREATE INDEX ticket_contact ON ticket (workspace, contact) WHERE contact IS NOT NULL;
CREATE INDEX ticket_issue ON ticket (site, issue) WHERE issue IS NOT NULL;
CREATE INDEX ticket_merged ON ticket (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX ticket_new ON ticket (status, id) WHERE merged_into IS NULL;
CREATE INDEX ticket_people ON ticket (status, people, id) WHERE merged_into IS NULL;
CREATE INDEX ticket_companies ON ticket (status, companies, id) WHERE merged_into IS NULL;
CREATE INDEX ticket_spend ON ticket (status, spend, id) WHERE merged_into IS NULL;
CREATE INDEX ticket_of_new ON ticket (product, status, id) WHERE merged_into IS NULL;
CREATE INDEX ticket_of_people ON ticket (product, status, people, id) WHERE merged_into IS NULL;
CREATE INDEX ticket_of_companies ON ticket (product, status, companies, id) WHERE merged_into IS NULL;
CREATE INDEX ticket_of_spend ON ticket (product, status, spend, id) WHERE merged_into IS NULL;
CREATE INDEX ticket_assignee ON ticket (assignee, status) WHERE assignee IS NOT NULL;

-- How many stand in each status, so that nobody counts a million of them.
CREATE TABLE ticket_count (
    product BIGINT NOT NULL,
    status BIGINT NOT NULL,
    tickets BIGINT NOT NULL,
    PRIMARY KEY (product, status)
);

CREATE TABLE ticket_tag (
    ticket BIGINT NOT NULL,
    tag TEXT NOT NULL,
    name TEXT NOT NULL,
    applied_at BIGINT,
    applied_by TEXT,
    removed_at BIGINT,
    PRIMARY KEY (ticket, tag)
);

CREATE TABLE ticket_label (
    label TEXT NOT NULL,
    ticket BIGINT NOT NULL,
    PRIMARY KEY (label, ticket)
);
CREATE INDEX ticket_label_ticket ON ticket_label (ticket);

-- What happened to a ticket, in order.
CREATE TABLE ticket_history (
    id {ID},
    ticket BIGINT NOT NULL,
    at BIGINT NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX ticket_history_ticket ON ticket_history (ticket, id);

-- Merges, each with the tickets that it moved, so that it can be undone.
CREATE TABLE ticket_merge (
    id {ID},
    ticket BIGINT NOT NULL,
    into_ticket BIGINT NOT NULL,
    moved TEXT NOT NULL,
    at BIGINT NOT NULL,
    who TEXT NOT NULL,
    undone_at BIGINT
);
CREATE INDEX ticket_merge_into ON ticket_merge (into_ticket);

-- Files of messages, copied, as base64.
CREATE TABLE feedback_file (
    workspace TEXT NOT NULL,
    conversation TEXT NOT NULL,
    part TEXT NOT NULL,
    number BIGINT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    content TEXT,
    why_not TEXT,
    PRIMARY KEY (workspace, conversation, part, number)
);

-- Taking in what was tagged before, as a person asked.
CREATE TABLE backfill (
    id {ID},
    product BIGINT NOT NULL,
    since BIGINT NOT NULL,
    state TEXT NOT NULL,
    found BIGINT NOT NULL,
    looked BIGINT NOT NULL,
    made BIGINT NOT NULL,
    cursor TEXT,
    trouble TEXT,
    who TEXT NOT NULL,
    at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX backfill_product ON backfill (product, id);
CREATE INDEX backfill_running ON backfill (id) WHERE state = 'running';

{FULL_TEXT};
