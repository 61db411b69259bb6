CREATE OR REPLACE FUNCTION _periodic_schedule.py_identities(
    names text[], tasks text[], args_texts text[], kwargs_texts text[], headers_texts text[],
    OUT pipeline_ids uuid[], OUT workflow_ids uuid[], OUT organization_ids text[],
    OUT pipeline_names text[], OUT identity_sources text[], OUT errors text[],
    OUT runnable boolean[]
)
LANGUAGE plpython3u IMMUTABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
def identity():
@plpython/identity.py@
    return locals()

if not SD:  # kept for the session
    SD.update(identity())
return SD["identities_of"](names, tasks, args_texts, kwargs_texts, headers_texts)
$python$;
COMMENT ON FUNCTION _periodic_schedule.py_identities(text[], text[], text[], text[], text[]) IS
    'What the text columns of many periodic tasks say about their identity, in step with the '
    'arguments; runnable is false where Beat could not load or send them; raises nothing';
