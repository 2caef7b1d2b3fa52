-- What files said of somebody, kept also where Intercom says the same: it stays when what was copied
-- is removed. Of those whom Intercom does not know yet it is what was set.
ALTER TABLE contact ADD COLUMN imported TEXT;
UPDATE contact SET imported = edits WHERE role = 'local' AND edits <> '';

-- Tickets that were erased are counted and listed by themselves.
CREATE INDEX ticket_erased ON ticket (status, id) WHERE erased IS NOT NULL AND merged_into IS NULL;
CREATE INDEX ticket_of_erased ON ticket (product, status, id)
    WHERE erased IS NOT NULL AND merged_into IS NULL;

-- Companies that tickets name are looked up when what was copied is removed.
CREATE INDEX ticket_company ON ticket (workspace, company) WHERE company IS NOT NULL;
