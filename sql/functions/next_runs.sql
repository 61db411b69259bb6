CREATE FUNCTION periodic_schedule.next_runs(cron_string text, timezone text, after timestamptz, n integer)
RETURNS SETOF timestamptz
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    found record;
BEGIN
    -- An epoch, because PL/Python is given a timestamptz as text in the session's zone and style.
    found := periodic_schedule.runs_after(cron_string, timezone, extract(epoch FROM after)::float8, n);
    IF found.error IS NOT NULL THEN
        RAISE EXCEPTION '%', found.error[1]
            USING ERRCODE = '22023', DETAIL = found.error[2], HINT = found.error[3];
    END IF;
    RETURN QUERY SELECT to_timestamp(r.epoch) FROM unnest(found.runs) AS r (epoch);
END
$function$;
COMMENT ON FUNCTION periodic_schedule.next_runs(text, text, timestamptz, integer) IS
    'The first n runs (0 to 10000) strictly after a time, in order; fewer if there are no more. See next_run_at()';
