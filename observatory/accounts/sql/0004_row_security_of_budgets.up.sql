ALTER TABLE budgets ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON budgets USING (observatory_sees(organisation_id));

ALTER TABLE budget_periods ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON budget_periods USING (observatory_sees(organisation_id));

ALTER TABLE budget_alerts ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON budget_alerts USING (observatory_sees(organisation_id));

ALTER TABLE channels ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON channels USING (observatory_sees(organisation_id));

ALTER TABLE deliveries ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON deliveries USING (observatory_sees(organisation_id));
