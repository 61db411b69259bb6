CREATE OR REPLACE FUNCTION _periodic_schedule.mirror_write_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    -- A table, of plain types: what a view or a cast calls would run with our rights.
    others CONSTANT regclass := (
        SELECT c.oid FROM pg_class AS c
        WHERE c.oid = to_regclass($id$@beat_schema@.pg_periodic_task$id$)
          AND c.relkind IN ('r', 'p') AND has_table_privilege(c.oid, 'SELECT') AND 3 = (
            SELECT count(*) FROM pg_attribute AS a
            WHERE a.attrelid = c.oid AND NOT a.attisdropped AND CASE
                WHEN a.attname = 'name' THEN a.atttypid IN ('text'::regtype, 'varchar'::regtype)
                WHEN a.attname IN ('pg_owned', 'enabled') THEN a.atttypid = 'boolean'::regtype
            END
        )
    );
    owned_names text[];
BEGIN
    RETURN QUERY
    SELECT
        'mirror_written', w.pipeline_id,
        format(
            '%s: role %s (%s) %s at %s; %s',
            coalesce(m.task_name, w.pipeline_id::text), w.written_by, w.application_name,
            CASE w.event
                WHEN 'RUN' THEN 'noted a run that it has fired itself'
                ELSE format(
                    'tried %s on pg_periodic_schedule, which %s', w.event,
                    CASE WHEN w.undone THEN 'was undone' ELSE 'the next sync undoes' END
                )
            END,
            w.written_at,
            CASE WHEN m.pg_owned AND NOT m.enabled
                THEN format(
                    'it is off, since Beat''s row is disabled. If its user has not paused it: '
                    'UPDATE %s SET enabled = true WHERE id = %s. The code that does so '
                    'has to go: docs/replacing.md',
                    '@beat_schema@.django_celery_beat_periodictask', m.periodic_task_id
                )
                ELSE 'the code that does so has to go: docs/replacing.md'
            END
        )
    FROM (
        SELECT DISTINCT ON (l.pipeline_id) l.*
        FROM _periodic_schedule.mirror_write AS l ORDER BY l.pipeline_id, l.written_at DESC
    ) AS w
    LEFT JOIN @beat_schema@.pg_periodic_schedule AS m ON m.pipeline_id = w.pipeline_id
    WHERE w.written_at > clock_timestamp() - interval '1 day' OR m.pg_owned AND NOT m.enabled;
    IF others IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format(
        'SELECT array_agg(r.name::text) FROM %s AS r WHERE r.pg_owned AND r.enabled', others
    ) INTO owned_names;
    RETURN QUERY
    SELECT
        'other_ticker', m.pipeline_id,
        format(
            '%s: it is off, since Beat''s row is disabled, and %s says that the application''s own '
            'ticker fires it. If its user has not paused it: UPDATE %s SET enabled = true WHERE '
            'id = %s. The code that does so has to go: docs/replacing.md',
            m.task_name, others, '@beat_schema@.django_celery_beat_periodictask',
            m.periodic_task_id
        )
    FROM @beat_schema@.pg_periodic_schedule AS m
    WHERE m.task_name = ANY (owned_names) AND NOT m.enabled;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.mirror_write_problems() IS
    'Schedules that the application''s own code has written beside us, in the last day, or that '
    'are off since: a part of health';
