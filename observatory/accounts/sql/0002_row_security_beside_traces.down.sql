DROP POLICY public ON trace_feedback;
DROP POLICY tenant ON trace_feedback;
ALTER TABLE trace_feedback DISABLE ROW LEVEL SECURITY;
DROP POLICY tenant ON trace_evaluations;
ALTER TABLE trace_evaluations DISABLE ROW LEVEL SECURITY;
DROP POLICY tenant ON trace_links;
ALTER TABLE trace_links DISABLE ROW LEVEL SECURITY;
