CREATE OR REPLACE FUNCTION _periodic_schedule.beat_pace(
    OUT loading interval, OUT commit_within interval, OUT too_near interval
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    loading := (
        SELECT count(*) FROM @beat_schema@.pg_periodic_schedule AS m WHERE m.enabled
    ) * interval '0.2 milliseconds';
    commit_within := interval '5 seconds' + 0.25 * loading;  -- all of 100,000 take 4 or more
    -- Beat looks every 5 seconds, and saves its runs before it loads.  In tens, as those who call
    -- adopt() every 10 seconds need it.
    too_near := ceil(
        (3 + extract(epoch FROM commit_within + loading)) / 10
    ) * interval '10 seconds';
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.beat_pace() IS
    'loading: how long a live Beat takes to load its schedules; commit_within: how soon after its '
    'call adopt() is to be committed; too_near: within this time after that call, Beat has saved '
    'its runs, and fires no more what it is told to leave';
