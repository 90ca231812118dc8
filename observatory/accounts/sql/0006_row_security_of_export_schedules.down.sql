DROP POLICY tenant ON export_schedules;
ALTER TABLE export_schedules DISABLE ROW LEVEL SECURITY;
