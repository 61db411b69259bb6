CREATE OR REPLACE FUNCTION _periodic_schedule.sql_identities(
    names text[], tasks text[], args_texts text[], kwargs_texts text[], headers_texts text[],
    OUT pipeline_ids uuid[], OUT workflow_ids uuid[], OUT organization_ids text[],
    OUT pipeline_names text[], OUT identity_sources text[], OUT errors text[],
    OUT runnable boolean[]
)
LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_identities(text[], text[], text[], text[], text[]) IS 'stub';
