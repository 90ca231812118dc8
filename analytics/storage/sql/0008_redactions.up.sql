-- How often each detector found something in a span, by the detector's name; NULL when nothing was found.
ALTER TABLE llm_contents ADD COLUMN redactions jsonb;
