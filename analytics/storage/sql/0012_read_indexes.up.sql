-- Lists of failed spans, newest first, and the newest failures of a range: they are few among many.
CREATE INDEX llm_traces_failed ON llm_traces (organisation_id, project_id, ts) WHERE status_code = 'ERROR';
-- The newest failed requests of one type of error, whose message is told.
CREATE INDEX llm_traces_failures ON llm_traces (organisation_id, project_id, (coalesce(error_type, '')), ts)
WHERE call_counted AND status_code = 'ERROR';
-- The dearest spans of a range, and lists by cost.
CREATE INDEX llm_traces_by_cost ON llm_traces (organisation_id, project_id, total_cost_nanousd DESC NULLS LAST);
-- The spans of one session, or of one user.
CREATE INDEX llm_traces_by_session ON llm_traces (organisation_id, project_id, session_id) WHERE session_id IS NOT NULL;
CREATE INDEX llm_traces_by_user ON llm_traces (organisation_id, project_id, user_id) WHERE user_id IS NOT NULL;
