CREATE OR REPLACE FUNCTION _periodic_schedule.tell_odd_rows(decided boolean) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    odd record;
    gone text;
BEGIN
    SELECT string_agg(a.attname, ', ' ORDER BY a.attnum) INTO gone
    FROM pg_attribute AS a
    LEFT JOIN pg_attribute AS ours ON ours.attname = a.attname AND NOT ours.attisdropped
        AND ours.attrelid = '@beat_schema@.pg_periodic_schedule'::regclass
    WHERE a.attrelid = to_regclass($id$@beat_schema@.pg_periodic_schedule_replaced$id$)
      AND a.attnum > 0 AND NOT a.attisdropped AND ours.attrelid IS NULL;
    IF gone IS NOT NULL THEN
        RAISE WARNING 'columns that only the application''s own pg_periodic_schedule has stay '
            'there, and its statements that name them fail from now on: %', gone
            USING HINT = 'Take that code out first: docs/replacing.md.';
    END IF;
    FOR odd IN
        SELECT
            r.place, x.kind, count(*) AS rows,
            array_to_string((array_agg(r.label ORDER BY r.label))[:10], ', ')
            || CASE WHEN count(*) > 10 THEN ', …' ELSE '' END AS names
        FROM _periodic_schedule.rows_to_take_over() AS r
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN r.periodic_task_id IS NULL AND r.pg_owned AND r.enabled THEN 'unfired'
                WHEN r.periodic_task_id IS NULL AND r.pipeline_id IS NOT NULL THEN 'left'
                WHEN decided AND r.pg_owned AND NOT r.enabled AND r.beat_enabled THEN 'paused'
            END AS kind
        ) AS x
        WHERE x.kind IS NOT NULL
        GROUP BY 1, 2 ORDER BY 1, 2
    LOOP
        CASE odd.kind
            WHEN 'unfired' THEN
                RAISE WARNING '% row(s) of % have no periodic task and stay where they were; once '
                    'the application''s own ticker is stopped, nobody fires them: %',
                    odd.rows, odd.place, odd.names
                    USING HINT = 'Make periodic tasks of these names.';
            WHEN 'left' THEN
                RAISE NOTICE '% row(s) of % have no periodic task and stay where they were: %',
                    odd.rows, odd.place, odd.names;
            ELSE
                RAISE WARNING '% row(s) of % are paused there, and Beat''s row was not; it is now: '
                    '%', odd.rows, odd.place, odd.names
                    USING HINT = 'Enable those periodic tasks that are to run.';
        END CASE;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.tell_odd_rows(boolean) IS
    'Names the columns that only the application''s own table has, the rows of its tables that no '
    'periodic task belongs to, and those that are paused where Beat''s row is not. decided: who '
    'fires was said';
