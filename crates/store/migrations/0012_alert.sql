-- News that people are being told, until they are: one row for each matter. `due_at` is when it is
-- tried next; whoever moves it on tries it. What was told is kept with the settings, after it was.
CREATE TABLE alert_try (
    name TEXT NOT NULL PRIMARY KEY,
    works BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    failure TEXT NOT NULL
);
