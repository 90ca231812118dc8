CREATE INDEX trace_evaluations_by_time ON trace_evaluations (organisation_id, project_id, ts);
