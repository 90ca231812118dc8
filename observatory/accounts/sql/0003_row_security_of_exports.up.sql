ALTER TABLE export_jobs ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON export_jobs USING (observatory_sees(organisation_id));
