-- Longer than 80 lines: one question, and each reason to refuse.
CREATE OR REPLACE FUNCTION periodic_schedule.use_engine(engine text)
RETURNS TABLE (
    periodic_task_id bigint, pipeline_id uuid, task_name text, action text, changed_columns text[]
)
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on  -- for what the engine sql has of backslashes
AS $function$
#variable_conflict use_column
DECLARE
    different record;
BEGIN
    PERFORM _periodic_schedule.require_writable('use_engine()');
    PERFORM _periodic_schedule.require_read_committed('use_engine()');
    PERFORM _periodic_schedule.require_engine(use_engine.engine);
    IF use_engine.engine = periodic_schedule.engine() THEN
        RETURN;
    END IF;
    IF NOT has_schema_privilege('periodic_schedule', 'CREATE') THEN
        RAISE EXCEPTION 'role % may not replace functions of ours', current_user
            USING ERRCODE = 'insufficient_privilege',
            DETAIL = 'engine() is one, and schema periodic_schedule is another role''s.',
            HINT = 'Call it as a superuser.';
    END IF;
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
      AND (use_engine.engine = 'sql' OR NOT c.is_beyond_sql);
    IF different.schedules > 0 THEN
        RAISE EXCEPTION 'the engines do not agree on % schedules', different.schedules
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = different.first,
            HINT = 'Nothing was changed. Change or delete these schedules; if they are no solar '
                'ones, please report it.';
    END IF;
    PERFORM _periodic_schedule.set_engine(use_engine.engine);
    UPDATE _periodic_schedule.installation AS i SET engine = use_engine.engine;
    -- Errors are other ones, and so is the tz database.
    RETURN QUERY SELECT r.* FROM periodic_schedule.reconcile() AS r;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.use_engine(text) IS
    'From now on plpython, or sql, computes next runs and reads rows. First it compares both on '
    'every distinct schedule of the mirror, for the next 100 runs, and refuses with SQLSTATE 55000 '
    'and the first difference in DETAIL if there is one; 0A000: there is no Python here. Returns '
    'what reconcile() then changed. Call it as who has installed it, or as a superuser. READ '
    'COMMITTED only';
