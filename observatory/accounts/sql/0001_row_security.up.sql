-- The second line behind the query layer: a statement sees the organisation that its transaction names, and no row
-- without one. 'all' is every organisation: commands, worker, admin, and the look-up of a credential.
CREATE FUNCTION observatory_sees(organisation integer) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT current_setting('observatory.organisation', true) IN ('all', organisation::text)
$$;

ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON projects USING (observatory_sees(organisation_id));
-- Anonymous callers have no organisation and see the public projects of all.
CREATE POLICY public ON projects FOR SELECT USING (is_public);

ALTER TABLE memberships ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON memberships USING (observatory_sees(organisation_id));

ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON api_keys USING (observatory_sees(organisation_id));

ALTER TABLE refresh_tokens ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON refresh_tokens USING (observatory_sees(organisation_id));

-- Rows that name no organisation themselves belong to that of the row they hang on, if that can be seen.
ALTER TABLE memberships_projects ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON memberships_projects USING (EXISTS (SELECT FROM memberships AS m WHERE m.id = membership_id));

ALTER TABLE api_keys_projects ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON api_keys_projects USING (EXISTS (SELECT FROM api_keys AS k WHERE k.id = apikey_id));

ALTER TABLE key_uses ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON key_uses USING (EXISTS (SELECT FROM api_keys AS k WHERE k.id = key_id));

-- Failed sign-ins of nobody's have no organisation and are seen by staff alone.
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_log USING (
    observatory_sees(organisation_id) OR current_setting('observatory.organisation', true) = 'all'
);

ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON idempotency_keys USING (observatory_sees(organisation_id));

-- The audit log is only added to, by whatever role the service has.
CREATE FUNCTION observatory_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('observatory.forgetting', true) = 'on' AND OLD.ts < now() - interval '1 day' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'entries of % are never changed', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_log_is_only_added_to BEFORE UPDATE OR DELETE ON audit_log
FOR EACH ROW EXECUTE FUNCTION observatory_refuse_change();

-- Drops the entries before an instant that is at least a day ago; returns how many.
CREATE FUNCTION observatory_forget_audit(before timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    dropped bigint;
BEGIN
    PERFORM set_config('observatory.forgetting', 'on', true);
    DELETE FROM audit_log WHERE ts < least(before, now() - interval '1 day');
    GET DIAGNOSTICS dropped = ROW_COUNT;
    PERFORM set_config('observatory.forgetting', 'off', true);
    RETURN dropped;
END $$;
REVOKE ALL ON FUNCTION observatory_forget_audit(timestamptz) FROM PUBLIC;
