-- What people were told last of each matter: a connection, or the token of a site. `told` counts
-- the news of it, so that of several processes one tells it, and what was decided from an older
-- look is refused.
CREATE TABLE alert_matter (
    name TEXT NOT NULL PRIMARY KEY,
    works BIGINT NOT NULL,
    told BIGINT NOT NULL
);

-- What versions before this one told of was kept among the settings.
INSERT INTO alert_matter (name, works, told)
SELECT name, CASE WHEN body LIKE '%"works":true%' THEN 1 ELSE 0 END, 1
FROM setting WHERE kind = 'alert';

-- One piece of news, written down before anybody is told. `uid` is the name by which a receiver
-- knows that it has it already.
CREATE TABLE alert (
    id {ID},
    uid TEXT NOT NULL UNIQUE,
    matter TEXT NOT NULL,
    body TEXT NOT NULL,
    made_at BIGINT NOT NULL
);

-- One receiver of it. `due_at` is when it is tried next; whoever moves it on tries it.
CREATE TABLE alert_send (
    alert BIGINT NOT NULL,
    receiver TEXT NOT NULL,
    matter TEXT NOT NULL,
    state TEXT NOT NULL,
    tries BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    failure TEXT NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (alert, receiver)
);
CREATE INDEX alert_send_waiting ON alert_send (receiver, matter, alert) WHERE state = 'waiting';
