-- Who wrote a ticket's message, where it was not the customer whose feedback it is.
ALTER TABLE ticket ADD COLUMN said_by TEXT;
