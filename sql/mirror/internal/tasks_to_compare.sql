-- Next runs are not computed row by row, but once for all rows of a schedule that say the
-- same run: the run after a time never decreases as the time increases, so if it is right for the
-- least base and for the greatest, it is right for those between.
CREATE OR REPLACE FUNCTION _periodic_schedule.tasks_to_compare() RETURNS SETOF bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET jit = off
SET enable_seqscan = on  -- reconcile(), which calls it, has it off
SET plan_cache_mode = force_custom_plan
AS $function$
DECLARE
    last CONSTANT bigint := 9223372036854775807;
    after bigint;
    upto bigint := -last;
BEGIN
    WHILE upto < last LOOP  -- so many at once that they stay in memory
        after := upto;
        upto := coalesce(
            (
                SELECT p.id FROM @beat_schema@.django_celery_beat_periodictask AS p
                WHERE p.id > after ORDER BY p.id OFFSET 99999 LIMIT 1
            ),
            last
        );
        RETURN QUERY
        WITH compared AS MATERIALIZED (
            SELECT c.* FROM _periodic_schedule.compared_rows(after, upto) AS c
        ),

        said AS (
            SELECT c.cron_string, c.timezone, c.run, min(c.base) AS least, max(c.base) AS greatest
            FROM compared AS c
            WHERE c.looks_right AND c.enabled
            GROUP BY c.cron_string, c.timezone, c.run
        ),

        wrong AS MATERIALIZED (
            SELECT DISTINCT u.cron_string, u.timezone, u.run
            FROM (
                SELECT
                    array_agg(s.cron_string) AS cron_strings, array_agg(s.timezone) AS timezones,
                    array_agg(s.run) AS runs, array_agg(b.base) AS bases
                FROM said AS s
                CROSS JOIN LATERAL (SELECT s.least UNION SELECT s.greatest) AS b (base)
            ) AS a
            CROSS JOIN LATERAL _periodic_schedule.runs_after_each(
                a.cron_strings, a.timezones, a.bases, '1 day'
            ) AS n
            CROSS JOIN LATERAL unnest(a.cron_strings, a.timezones, a.runs, n.runs)
                AS u (cron_string, timezone, run, found)
            WHERE u.found IS DISTINCT FROM u.run
        )

        SELECT c.periodic_task_id FROM compared AS c WHERE NOT c.looks_right
        UNION ALL
        SELECT m.periodic_task_id FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.periodic_task_id > after AND m.periodic_task_id <= upto
          AND NOT EXISTS (
              SELECT FROM @beat_schema@.django_celery_beat_periodictask AS p
              WHERE p.id = m.periodic_task_id
          )
        UNION ALL
        SELECT c.periodic_task_id
        FROM wrong AS w
        JOIN compared AS c
            ON c.cron_string = w.cron_string AND c.timezone = w.timezone AND c.run = w.run
        WHERE c.looks_right AND c.enabled;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.tasks_to_compare() IS
    'Tasks that may differ from their mirror row. Cheap and conservative: reports too many, never '
    'too few';
