DROP POLICY tenant ON anomaly_progress;
ALTER TABLE anomaly_progress DISABLE ROW LEVEL SECURITY;
DROP POLICY tenant ON anomalies;
ALTER TABLE anomalies DISABLE ROW LEVEL SECURITY;
