ALTER TABLE anomalies ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON anomalies USING (observatory_sees(organisation_id));
ALTER TABLE anomaly_progress ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON anomaly_progress USING (observatory_sees(organisation_id));
