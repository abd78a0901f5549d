-- The codes as they are.

ALTER TABLE {{database}}.marketing_triggers COMMENT COLUMN reason 'A sentence; for suppressed one of history, opted_out, frequency_cap';
