CREATE OR REPLACE FUNCTION _periodic_schedule.sql_changed_zones(names text[]) RETURNS text[]
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN ARRAY(
        SELECT n.name
        FROM unnest(names) AS n (name)
        LEFT JOIN _periodic_schedule.sql_zone AS z ON z.name = n.name
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN _periodic_schedule.sql_is_zone_name(n.name)
                    AND NOT _periodic_schedule.sql_is_lost_zone(n.name)
                    THEN _periodic_schedule.sql_zone_digest(n.name)
            END AS digest
        ) AS d
        -- Without a row: written otherwise, or new.
        WHERE d.digest IS DISTINCT FROM z.digest AND (
            z.name IS NOT NULL OR _periodic_schedule.sql_is_zone(n.name)
        )
        ORDER BY n.name
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_changed_zones(text[]) IS
    'Those of these zones whose clocks, as Postgres has them now, are not those of sql_zone';
