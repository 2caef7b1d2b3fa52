-- People by name, and the sessions of one by their beginning, are read a part at a time, each from an
-- index in its order. Who asks for the sessions of one finds them in it as well.
CREATE INDEX account_name ON account (name, id);
CREATE INDEX session_begun ON session (account, made_at, key);
DROP INDEX session_account;

-- Links are listed from the indexes of 0019, in which their time stands behind whether they live.
DROP INDEX link_since;
