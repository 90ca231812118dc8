CREATE OR REPLACE FUNCTION observatory_forget_audit(before timestamptz) RETURNS bigint
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
