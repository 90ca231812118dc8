DROP POLICY tenant ON export_schedules;
ALTER TABLE export_schedules DISABLE ROW LEVEL SECURITY;
DROP POLICY tenant ON export_jobs;
ALTER TABLE export_jobs DISABLE ROW LEVEL SECURITY;
