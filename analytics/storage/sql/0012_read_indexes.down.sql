DROP INDEX llm_traces_by_user;
DROP INDEX llm_traces_by_session;
DROP INDEX llm_traces_by_cost;
DROP INDEX llm_traces_failures;
DROP INDEX llm_traces_failed;
