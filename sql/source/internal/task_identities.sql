CREATE OR REPLACE FUNCTION _periodic_schedule.task_identities(
    names text[], tasks text[], args_texts text[], kwargs_texts text[], headers_texts text[],
    OUT pipeline_ids uuid[], OUT workflow_ids uuid[], OUT organization_ids text[],
    OUT pipeline_names text[], OUT identity_sources text[], OUT errors text[],
    OUT runnable boolean[]
)
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on  -- for what the engine sql has of backslashes
AS $function$
BEGIN
    IF periodic_schedule.engine() = 'sql' THEN
        SELECT i.*
        INTO pipeline_ids, workflow_ids, organization_ids, pipeline_names, identity_sources, errors,
            runnable
        FROM _periodic_schedule.sql_identities(
            names, tasks, args_texts, kwargs_texts, headers_texts
        ) AS i;
    ELSE
        SELECT i.*
        INTO pipeline_ids, workflow_ids, organization_ids, pipeline_names, identity_sources, errors,
            runnable
        FROM _periodic_schedule.py_identities(
            names, tasks, args_texts, kwargs_texts, headers_texts
        ) AS i;
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.task_identities(text[], text[], text[], text[], text[]) IS
    'What the text columns of many periodic tasks say about their identity, in step with the '
    'arguments, by the engine that was chosen; runnable is false where Beat could not load or send '
    'them; raises nothing';
