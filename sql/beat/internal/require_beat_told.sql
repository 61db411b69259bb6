-- beat_reload_trigger() sees to it at the commit.
CREATE OR REPLACE FUNCTION _periodic_schedule.require_beat_told(commit_by timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    PERFORM set_config(
        'periodic_schedule.commit_by', least(
            nullif(current_setting('periodic_schedule.commit_by', true), '')::double precision,
            extract(epoch FROM commit_by)::double precision
        )::text, true
    );
    IF NOT _periodic_schedule.request_beat_reload() OR NOT EXISTS (
        SELECT FROM pg_trigger AS g
        WHERE g.tgrelid = '_periodic_schedule.beat_reload'::regclass
          AND g.tgfoid = '_periodic_schedule.beat_reload_trigger()'::regprocedure
          AND g.tgenabled IN ('A', CASE current_setting('session_replication_role')
              WHEN 'replica' THEN 'R' ELSE 'O'
          END)
    ) THEN
        RAISE EXCEPTION 'a live Beat cannot be told what it is not to fire any more'
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'Nothing was adopted: both would fire it.',
            HINT = 'Do what SELECT * FROM periodic_schedule.health says, or stop Beat and use '
                'beat_is_stopped => true.';
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.require_beat_told(timestamptz) IS
    'Asks a live Beat to reload when this transaction commits. The commit fails (SQLSTATE 55000, '
    '55P03) if Beat cannot be asked, or if it comes later than this: by then Beat may have fired';
