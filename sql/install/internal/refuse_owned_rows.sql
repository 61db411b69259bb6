CREATE OR REPLACE FUNCTION _periodic_schedule.refuse_owned_rows() RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    owned record;
BEGIN
    SELECT
        sum(p.rows)::bigint AS rows, sum(p.by_both)::bigint AS by_both,
        string_agg(
            format('%s of %s: %s', p.rows, p.place, p.names), '; ' ORDER BY p.place
        ) AS names
    INTO owned
    FROM (
        SELECT
            r.place, count(*) AS rows, count(*) FILTER (WHERE r.beat_enabled) AS by_both,
            array_to_string((array_agg(r.label ORDER BY r.label))[:10], ', ')
            || CASE WHEN count(*) > 10 THEN ', …' ELSE '' END AS names
        FROM _periodic_schedule.rows_to_take_over() AS r
        WHERE r.pg_owned AND (r.enabled OR r.beat_enabled)
        GROUP BY r.place
    ) AS p;
    IF owned.rows > 0 THEN
        RAISE EXCEPTION 'the application''s own ticker fires % schedules', owned.rows
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = concat_ws(
                ' ', owned.names || '.',
                CASE WHEN owned.by_both > 0
                    THEN format('Beat''s row of %s of them is enabled too.', owned.by_both)
                END,
                'Nothing was changed.'
            ),
            HINT = 'Who fires them is yours to say (docs/replacing.md). Postgres, when that ticker '
                'and Beat are stopped: install with take_over=postgres. Beat, when that '
                'ticker is stopped: install with take_over=beat.';
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.refuse_owned_rows() IS
    'Raises SQLSTATE 55000 if there are rows that the application''s own ticker fires, with how '
    'many, their names and the two ways on';
