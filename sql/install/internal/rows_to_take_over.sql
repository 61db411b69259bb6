CREATE OR REPLACE FUNCTION _periodic_schedule.rows_to_take_over()
RETURNS TABLE (
    place text, label text, pipeline_id uuid, organization_id text, workflow_id uuid,
    pipeline_name text, created_at timestamptz, pg_owned boolean, enabled boolean,
    last_run_at timestamptz, next_run_at timestamptz, periodic_task_id bigint, beat_enabled boolean
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    now CONSTANT timestamptz := clock_timestamp();
BEGIN
    RETURN QUERY
    SELECT
        t.place,
        CASE
            WHEN x.pipeline_name <> '' THEN format('%s (%s)', x.pipeline_name, x.pipeline_id)
            ELSE coalesce(x.task_name, '(no name)')
        END,
        x.pipeline_id, nullif(x.organization_id, ''), x.workflow_id, nullif(x.pipeline_name, ''),
        CASE WHEN x.created_at BETWEEN years.first AND years.last THEN x.created_at END,
        coalesce(x.pg_owned, false),
        -- NULL is not true for their ticker either; without the column all are active.
        coalesce(x.enabled, NOT t.columns ? 'enabled'),
        -- What cannot be when it ran is not.
        CASE WHEN x.last_run_at BETWEEN years.first AND now THEN x.last_run_at END,
        -- Before all times is due, and after all times is not.
        CASE
            WHEN x.next_run_at < years.first THEN now
            WHEN x.next_run_at <= years.last THEN x.next_run_at
        END,
        p.id::bigint, p.enabled
    FROM _periodic_schedule.their_rows() AS t
    CROSS JOIN (  -- what Django, and so Beat, can read in every zone
        VALUES (timestamptz '0002-01-01 00:00+00', timestamptz '9998-12-31 00:00+00')
    ) AS years (first, last)
    CROSS JOIN LATERAL (
        SELECT
            c.*,
            CASE t.place WHEN 'pg_periodic_task' THEN c.name ELSE c.pipeline_id::text
            END AS task_name
        FROM jsonb_to_record(t.columns) AS c (
            pipeline_id uuid, name text, organization_id text, workflow_id uuid, pipeline_name text,
            created_at timestamptz, pg_owned boolean, enabled boolean, last_run_at timestamptz,
            next_run_at timestamptz
        )
    ) AS x
    LEFT JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.name = x.task_name;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.rows_to_take_over() IS
    'Rows of the application''s own tables, and the periodic task of each, if it has one. '
    'pg_owned and enabled: its own ticker fires it; label: for people';
