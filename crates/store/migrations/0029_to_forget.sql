-- What was erased and may still stand in what deliveries and attempts said: by these marks it is
-- looked for, once all of it was gone through they go too.
CREATE TABLE to_forget (
    workspace TEXT NOT NULL,
    kind TEXT NOT NULL,
    mark TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    looks BIGINT NOT NULL,
    PRIMARY KEY (workspace, kind, mark)
);
