-- As before, but for organisations of which anything is held.
CREATE OR REPLACE FUNCTION observatory_forget_audit(before timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    dropped bigint;
BEGIN
    PERFORM set_config('observatory.forgetting', 'on', true);
    DELETE FROM audit_log AS a WHERE a.ts < least(before, now() - interval '1 day')
        AND NOT EXISTS (SELECT FROM legal_holds AS h WHERE h.organisation_id = a.organisation_id);
    GET DIAGNOSTICS dropped = ROW_COUNT;
    PERFORM set_config('observatory.forgetting', 'off', true);
    RETURN dropped;
END $$;
