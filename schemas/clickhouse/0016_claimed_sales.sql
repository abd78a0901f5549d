-- What of an order nobody but a page has reported: its key is public.

ALTER TABLE {{database}}.sales
  ADD COLUMN IF NOT EXISTS claimed Float64 DEFAULT 0 COMMENT 'How many of the units only a page has reported, with the public key, signed like quantity. A row of 0 units takes them back once the shop reports the order, too: sum(claimed) is what it has not confirmed. 0 in rows from before this column' AFTER quantity;
