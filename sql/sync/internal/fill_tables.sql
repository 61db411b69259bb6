CREATE OR REPLACE FUNCTION _periodic_schedule.fill_tables() RETURNS SETOF regclass
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    INSERT INTO _periodic_schedule.sync_slot (slot)
    SELECT generate_series(0, 1023)
    WHERE NOT EXISTS (SELECT FROM _periodic_schedule.sync_slot);
    IF FOUND THEN
        RETURN NEXT '_periodic_schedule.sync_slot'::regclass;
    END IF;
    INSERT INTO _periodic_schedule.installation (beat_schema, beat_tables)
    SELECT (parse_ident($id$@beat_schema@$id$))[1], _periodic_schedule.beat_tables()
    WHERE NOT EXISTS (SELECT FROM _periodic_schedule.installation);
    IF FOUND THEN
        RETURN NEXT '_periodic_schedule.installation'::regclass;
    END IF;
    -- Before its first time it cannot be refreshed beside readers; nor can it be read.
    IF EXISTS (
        SELECT FROM pg_class AS c
        WHERE c.oid = to_regclass('_periodic_schedule.sql_zone') AND NOT c.relispopulated
    ) THEN
        REFRESH MATERIALIZED VIEW _periodic_schedule.sql_zone;
        RETURN NEXT '_periodic_schedule.sql_zone'::regclass;
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.fill_tables() IS
    'Makes the rows that nothing is mirrored without, where a dump of definitions only was '
    'restored, or all tables were emptied: the tables that had none';
