CREATE OR REPLACE FUNCTION _periodic_schedule.ask_beat_again_at(at timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    UPDATE _periodic_schedule.beat_reload AS b SET again_at = at
    WHERE b.transaction_id = pg_current_xact_id();
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.ask_beat_again_at(timestamptz) IS
    'Of a transaction that asks Beat to reload: the first tick after this time asks once more. A '
    'Beat that is starting overlooks what is changed while it loads';
