-- What the report shows of each issue that is or was linked, so that a page of it is read from an
-- index, whatever it is sorted by. Conversations are counted as links change; people and companies
-- by a worker, which takes those that are stale.
CREATE TABLE asked (
    site TEXT NOT NULL,
    issue TEXT NOT NULL,
    project TEXT NOT NULL,
    live BIGINT NOT NULL,
    conversations BIGINT NOT NULL,
    contacts BIGINT NOT NULL,
    companies BIGINT NOT NULL,
    spend BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    -- Linked conversations and people in them that were not read yet.
    unread BIGINT NOT NULL,
    stale BIGINT NOT NULL,
    PRIMARY KEY (site, issue)
);
CREATE INDEX asked_stale ON asked (site, issue) WHERE stale = 1;
CREATE INDEX asked_live ON asked (live, site, issue);
CREATE INDEX asked_conversations ON asked (live, conversations, site, issue);
CREATE INDEX asked_contacts ON asked (live, contacts, site, issue);
CREATE INDEX asked_companies ON asked (live, companies, site, issue);
CREATE INDEX asked_spend ON asked (live, spend, site, issue);
CREATE INDEX asked_last ON asked (live, last_at, site, issue);
CREATE INDEX asked_in ON asked (live, site, project, issue);
CREATE INDEX asked_in_conversations ON asked (live, site, project, conversations, issue);
CREATE INDEX asked_in_contacts ON asked (live, site, project, contacts, issue);
CREATE INDEX asked_in_companies ON asked (live, site, project, companies, issue);
CREATE INDEX asked_in_spend ON asked (live, site, project, spend, issue);
CREATE INDEX asked_in_last ON asked (live, site, project, last_at, issue);
CREATE INDEX asked_unread ON asked (live, site) WHERE unread > 0;

-- Linked conversations as the report knows them: when each was read, when it is read again, and why
-- the latest try failed.
CREATE TABLE conversation_read (
    workspace TEXT NOT NULL,
    conversation TEXT NOT NULL,
    read_at BIGINT,
    due_at BIGINT NOT NULL,
    trouble TEXT,
    PRIMARY KEY (workspace, conversation)
);
CREATE INDEX conversation_read_due ON conversation_read (due_at);

-- Who is in a conversation.
CREATE TABLE participant (
    workspace TEXT NOT NULL,
    conversation TEXT NOT NULL,
    contact TEXT NOT NULL,
    PRIMARY KEY (workspace, conversation, contact)
);
CREATE INDEX participant_contact ON participant (workspace, contact);

-- Those people, as conversations above.
CREATE TABLE person_read (
    workspace TEXT NOT NULL,
    contact TEXT NOT NULL,
    read_at BIGINT,
    due_at BIGINT NOT NULL,
    trouble TEXT,
    PRIMARY KEY (workspace, contact)
);
CREATE INDEX person_read_due ON person_read (due_at);

-- Their companies, and what each spends in a month.
CREATE TABLE person_company (
    workspace TEXT NOT NULL,
    contact TEXT NOT NULL,
    company TEXT NOT NULL,
    PRIMARY KEY (workspace, contact, company)
);
CREATE TABLE company_spend (
    workspace TEXT NOT NULL,
    company TEXT NOT NULL,
    spend BIGINT NOT NULL,
    PRIMARY KEY (workspace, company)
);

-- What Bowline put on an issue to say how many conversations are linked to it, and why that could
-- not be brought in step.
CREATE TABLE tally (
    site TEXT NOT NULL,
    issue TEXT NOT NULL,
    put_on TEXT NOT NULL,
    trouble TEXT,
    since BIGINT,
    tried_at BIGINT NOT NULL,
    PRIMARY KEY (site, issue)
);
CREATE INDEX tally_trouble ON tally (tried_at) WHERE trouble IS NOT NULL;

-- What was last wanted of the issues of a project, and how far they were gone through since.
CREATE TABLE tally_run (
    site TEXT NOT NULL,
    project TEXT NOT NULL,
    wants TEXT NOT NULL,
    round BIGINT NOT NULL,
    place TEXT,
    PRIMARY KEY (site, project)
);
