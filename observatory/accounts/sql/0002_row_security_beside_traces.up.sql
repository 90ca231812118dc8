-- What is kept beside traces. It is written row by row; tables that are filled with COPY take no policy.
ALTER TABLE trace_links ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON trace_links USING (observatory_sees(organisation_id));

ALTER TABLE trace_evaluations ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON trace_evaluations USING (observatory_sees(organisation_id));

ALTER TABLE trace_feedback ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON trace_feedback USING (observatory_sees(organisation_id));
-- Anonymous callers are told the quality of public projects.
CREATE POLICY public ON trace_feedback FOR SELECT USING (
    EXISTS (SELECT FROM projects AS p WHERE p.id = project_id AND p.is_public)
);
