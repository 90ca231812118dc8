ALTER TABLE llm_contents DROP COLUMN redactions;
