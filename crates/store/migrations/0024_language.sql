-- The language in which an agent said that an end user is to be written to.
ALTER TABLE end_user ADD COLUMN language TEXT;
