-- A stock Beat saves its runs when it is asked to, and otherwise not always: where little is fired,
-- a run is unsaved for as long as nothing else is fired.  So for how long a schedule has been due
-- says nothing; nor does it that Beat was asked since then: it may have been started just now.
CREATE OR REPLACE FUNCTION _periodic_schedule.adoption_refusal(
    fenced boolean, cron_string text, timezone text, enabled boolean, next_run_at timestamptz,
    too_near interval, now timestamptz
) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    otherwise CONSTANT text := 'stop Beat and use beat_is_stopped => true';
    last_run timestamptz;
BEGIN
    IF NOT fenced THEN
        RETURN 'nothing would keep a stock Beat from firing it too: fence_beat(role), or '
            || otherwise;
    END IF;
    IF NOT enabled OR next_run_at IS NULL OR next_run_at > now + too_near THEN
        RETURN NULL;
    END IF;
    -- After a run, whoever calls again every 10 seconds asks Beat to save it, calls again when it
    -- has, and must then not be too near to the next one.
    last_run := _periodic_schedule.last_before_gap(
        cron_string, timezone, next_run_at, 3 * too_near
    );
    IF last_run IS NULL THEN
        RETURN 'it runs too often for a live Beat to be told between two runs: ' || otherwise;
    END IF;
    IF next_run_at <= now THEN
        RETURN format(
            'due since %s: Beat may have fired it and not saved that yet; it has been asked to: '
            'try again at %s, or %s',
            _periodic_schedule.utc_text(next_run_at),
            _periodic_schedule.utc_text(now + too_near + interval '1 second'), otherwise
        );
    END IF;
    RETURN format(
        'due at %s, too near for a live Beat to be told: try again at %s, or %s',
        _periodic_schedule.utc_text(next_run_at),
        -- When Beat has fired it, be it a little late, so that it can be asked to save that.
        _periodic_schedule.utc_text(last_run + interval '6 seconds'), otherwise
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.adoption_refusal(
    boolean, text, text, boolean, timestamptz, interval, timestamptz
) IS
    'Why a schedule cannot be taken over from a Beat that may be running, and when it can; NULL: '
    'it can. too_near: see beat_pace()';
