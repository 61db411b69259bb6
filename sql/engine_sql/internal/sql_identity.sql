CREATE OR REPLACE FUNCTION _periodic_schedule.sql_identity(
    task text, args_text text, kwargs_text text, headers_text text,
    OUT workflow_id uuid, OUT organization_id text, OUT pipeline_name text,
    OUT identity_source text, OUT error text, OUT runnable boolean
)
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    args CONSTANT record := _periodic_schedule.sql_loaded(args_text, 'args');
    kwargs CONSTANT record := _periodic_schedule.sql_loaded(kwargs_text, 'kwargs');
    headers CONSTANT record := _periodic_schedule.sql_loaded(headers_text, 'headers');
    pipeline record;
    workflow record;
    organization record;
    named record;
    called text[] := ARRAY[
        'kwargs.pipeline_id', 'kwargs.workflow_id', 'kwargs.organization_id',
        'kwargs.pipeline_name'
    ];
    told text[] := kwargs.items;
BEGIN
    identity_source := CASE
        WHEN cardinality(told) > 0 THEN 'kwargs'
        WHEN cardinality(args.items) > 0 AND task IN (
            'scheduler.tasks.execute_pipeline_task', 'scheduler.tasks.execute_pipeline_task_v2'
        ) THEN 'args'
        ELSE 'none'
    END;
    IF identity_source <> 'kwargs' THEN
        called := ARRAY['', 'args[0] (workflow_id)', 'args[1] (organization_id)', ''];
        told := CASE identity_source
            WHEN 'args' THEN ARRAY[NULL, args.items[1], args.items[2]]
        END;
    END IF;
    pipeline := _periodic_schedule.sql_read_uuid(told[1], called[1]);
    workflow := _periodic_schedule.sql_read_uuid(told[2], called[2]);
    organization := _periodic_schedule.sql_read_text(told[3], called[3]);
    named := _periodic_schedule.sql_read_text(told[4], called[4]);
    workflow_id := workflow.id;
    organization_id := organization.content;
    pipeline_name := named.content;
    runnable := concat(args.error, kwargs.error, headers.error) = '';
    error := nullif(concat_ws(
        '; ', args.error, kwargs.error, headers.error, pipeline.error, workflow.error,
        organization.error, named.error
    ), '');
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_identity(text, text, text, text) IS
    'What the text columns of a periodic task say about its identity, whatever they are';
