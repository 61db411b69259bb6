CREATE OR REPLACE FUNCTION _periodic_schedule.adoption_refusal(
    fenced boolean, cron_string text, timezone text, enabled boolean, next_run_at timestamptz,
    now timestamptz
) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    -- A live Beat sees changes every 5 seconds, and takes up to 20 to load 100,000 tasks.
    too_near CONSTANT interval := '30 seconds';
    -- It saves its runs every 3 minutes: what has been due for longer, it has not fired.
    unsaved CONSTANT interval := '4 minutes';
BEGIN
    IF NOT fenced THEN
        RETURN 'nothing would keep a stock Beat from firing it too: fence_beat(role), '
            'or stop Beat and use beat_is_stopped => true';
    END IF;
    IF NOT enabled OR next_run_at IS NULL
        OR next_run_at NOT BETWEEN now - unsaved AND now + too_near THEN
        RETURN NULL;
    END IF;
    IF periodic_schedule.next_run_at(cron_string, timezone, next_run_at)
        < next_run_at + too_near THEN
        RETURN 'it runs too often for a live Beat to be told between two runs: '
            'stop Beat and use beat_is_stopped => true';
    END IF;
    IF next_run_at <= now THEN
        RETURN format(
            'due since %s: Beat may have fired it and not saved that yet; it has been asked to: '
            'try again in 10 seconds', next_run_at
        );
    END IF;
    RETURN format(
        'due at %s, too near for a live Beat to be told: try again after that, '
        'or stop Beat and use beat_is_stopped => true', next_run_at
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.adoption_refusal(
    boolean, text, text, boolean, timestamptz, timestamptz
) IS
    'Why a schedule cannot be taken over from a Beat that may be running; NULL: it can';
