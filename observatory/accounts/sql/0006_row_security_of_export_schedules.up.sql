ALTER TABLE export_schedules ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON export_schedules USING (observatory_sees(organisation_id));
