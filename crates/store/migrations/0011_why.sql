-- What is kept of the calls that an attempt made: bounded, without secrets, as long as payloads.
ALTER TABLE attempt ADD COLUMN calls TEXT;
