-- Connections and their health.
CREATE TABLE connection (
    key TEXT NOT NULL PRIMARY KEY,
    health TEXT NOT NULL,
    reason TEXT,
    since BIGINT NOT NULL,
    remote_id TEXT,
    actor_id TEXT,
    checked_at BIGINT,
    webhook_seen_at BIGINT
);

-- Project bindings: what has to survive a restart about each.
CREATE TABLE binding (
    site TEXT NOT NULL,
    project TEXT NOT NULL,
    active_since BIGINT NOT NULL,
    swept_to TEXT,
    swept_at BIGINT,
    watermark BIGINT NOT NULL,
    PRIMARY KEY (site, project)
);

-- Queues. A lane with pending = 0 is idle: nobody holds it and it is due never.
CREATE TABLE lane (
    key TEXT NOT NULL PRIMARY KEY,
    kind BIGINT NOT NULL,
    connection TEXT NOT NULL,
    pending BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    owner TEXT NOT NULL,
    token BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    failures BIGINT NOT NULL
);
CREATE INDEX lane_due ON lane (kind, due_at) WHERE pending > 0;
CREATE INDEX lane_owner ON lane (owner) WHERE owner <> '';

-- The inbox: accepted deliveries, raw.
CREATE TABLE event (
    id {ID},
    source TEXT NOT NULL,
    connection TEXT NOT NULL,
    delivery TEXT NOT NULL,
    lane TEXT NOT NULL,
    topic TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    state BIGINT NOT NULL,
    outcome TEXT,
    decided_at BIGINT,
    body TEXT NOT NULL,
    UNIQUE (connection, source, delivery)
);
CREATE INDEX event_waiting ON event (lane, id) WHERE state = 0;
CREATE INDEX event_quarantined ON event (id) WHERE state = 2;

CREATE TABLE issue (
    site TEXT NOT NULL,
    issue TEXT NOT NULL,
    key TEXT NOT NULL,
    project TEXT NOT NULL,
    summary TEXT NOT NULL,
    scanned BIGINT NOT NULL,
    deleted BIGINT NOT NULL,
    links_version BIGINT NOT NULL,
    PRIMARY KEY (site, issue)
);
CREATE INDEX issue_key ON issue (site, key);

CREATE TABLE link (
    site TEXT NOT NULL,
    issue TEXT NOT NULL,
    workspace TEXT NOT NULL,
    conversation TEXT NOT NULL,
    live BIGINT NOT NULL,
    since BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    ended TEXT,
    sources TEXT NOT NULL,
    PRIMARY KEY (site, issue, workspace, conversation)
);
CREATE INDEX link_conversation ON link (workspace, conversation);

-- Facts that were dealt with, so that no other delivery of the same tells them again.
CREATE TABLE fact (
    site TEXT NOT NULL,
    issue TEXT NOT NULL,
    fact TEXT NOT NULL,
    event BIGINT NOT NULL,
    PRIMARY KEY (site, issue, fact)
);

-- The outbox.
CREATE TABLE effect (
    id {ID},
    key TEXT NOT NULL UNIQUE,
    event BIGINT NOT NULL,
    lane TEXT NOT NULL,
    connection TEXT NOT NULL,
    site TEXT NOT NULL,
    issue TEXT NOT NULL,
    act TEXT NOT NULL,
    state BIGINT NOT NULL,
    doubtful BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    planned_at BIGINT NOT NULL,
    settled_at BIGINT,
    remote_id TEXT,
    reason TEXT
);
CREATE INDEX effect_waiting ON effect (lane, id) WHERE state IN (0, 1, 4);
CREATE INDEX effect_event ON effect (event);
CREATE INDEX effect_remote ON effect (connection, remote_id) WHERE remote_id IS NOT NULL;

CREATE TABLE attempt (
    id {ID},
    effect BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT
);
CREATE INDEX attempt_effect ON attempt (effect);
