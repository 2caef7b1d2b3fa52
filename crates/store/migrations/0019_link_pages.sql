-- Links are listed in the order of their time, and many have the same: those of an import, or of the
-- first look at a project. So the whole order stands in the index, behind what is asked for always:
-- whether a link lives. That is an expression, which only the lists ask for: as a mere column SQLite
-- would take this index for the live links of one issue, because all of them stand in it, and go
-- through all that live.
CREATE INDEX link_page ON link ((live + 0), since, site, issue, workspace, conversation);

-- The project of a link's issue, so that those of one are read from an index too. A version before
-- leaves it empty; it is filled in together with the row of the report.
ALTER TABLE link ADD COLUMN project TEXT NOT NULL DEFAULT '';
UPDATE link SET project = COALESCE((SELECT issue.project FROM issue
    WHERE issue.site = link.site AND issue.issue = link.issue), '');
CREATE INDEX link_in ON link ((live + 0), site, project, since, issue, workspace, conversation);

-- What people type: a conversation's number or an issue's key, without saying where it is.
CREATE INDEX link_named ON link (conversation);
CREATE INDEX issue_named ON issue (key);
