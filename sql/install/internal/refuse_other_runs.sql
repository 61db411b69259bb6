CREATE OR REPLACE FUNCTION _periodic_schedule.refuse_other_runs(engine text) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on  -- for what the engine sql has of backslashes
AS $function$
DECLARE
    different record;
BEGIN
    PERFORM _periodic_schedule.py_load();
    REFRESH MATERIALIZED VIEW CONCURRENTLY _periodic_schedule.sql_zone;
    WITH schedule AS (
        SELECT DISTINCT m.cron_string, m.timezone
        FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.cron_string <> ''
    ),

    compared AS (
        SELECT
            s.cron_string, s.timezone,
            CASE WHEN p.error IS NULL THEN ARRAY(
                SELECT _periodic_schedule.from_microseconds(r) FROM unnest(p.runs) AS r
            ) END AS by_python,
            q.runs AS by_sql, p.error[1] AS python_error, q.error[1] AS sql_error,
            q.error[6] IS NOT NULL AS is_beyond_sql
        FROM schedule AS s
        CROSS JOIN LATERAL _periodic_schedule.py_runs_between(
            s.cron_string, s.timezone, _periodic_schedule.to_microseconds(statement_timestamp()),
            100, _periodic_schedule.to_microseconds('infinity')
        ) AS p
        CROSS JOIN LATERAL _periodic_schedule.sql_runs_until(
            s.cron_string, s.timezone, statement_timestamp(), 'infinity', 100
        ) AS q
    )

    SELECT
        count(*) AS schedules,
        min(format(
            '%s in %s: plpython finds %s, sql %s', c.cron_string, c.timezone,
            coalesce(c.python_error, f.by_python::text, 'no run'),
            coalesce(c.sql_error, f.by_sql::text, 'no run')
        )) AS first
    INTO different
    FROM compared AS c
    CROSS JOIN LATERAL (  -- the first run that the other has not
        SELECT
            (
                SELECT min(r) FROM unnest(c.by_python) AS r
                WHERE r <> ALL (coalesce(c.by_sql, '{}'))
            ) AS by_python,
            (
                SELECT min(r) FROM unnest(c.by_sql) AS r
                WHERE r <> ALL (coalesce(c.by_python, '{}'))
            ) AS by_sql
    ) AS f
    WHERE (c.by_python, c.python_error) IS DISTINCT FROM (c.by_sql, c.sql_error)
      -- What SQL does not know is nothing that Python would change.
      AND (refuse_other_runs.engine = 'sql' OR NOT c.is_beyond_sql);
    IF different.schedules > 0 THEN
        RAISE EXCEPTION 'the engines do not agree on % schedules', different.schedules
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = different.first,
            HINT = 'Nothing was changed. Change or delete these schedules; if they are no solar '
                'ones, please report it.';
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.refuse_other_runs(text) IS
    'Compares the engines on every distinct schedule of the mirror, for the next 100 runs, and '
    'raises SQLSTATE 55000 with the first difference, but for what the one in use does not know '
    'and this one does';
