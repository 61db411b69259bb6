CREATE OR REPLACE FUNCTION _periodic_schedule.py_runs_ahead(
    expressions text[], zones text[], one_offs boolean[], firsts bigint[], spreads bigint[],
    expiries bigint[], schedules bigint[], until bigint, n integer,
    OUT runs bigint[], OUT numbers bigint[]
)
LANGUAGE plpython3u STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
rows = zip(expressions, zones, one_offs, firsts, spreads, expiries, schedules, strict=True)
return GD["@python_version@"].next_run.runs_ahead(list(rows), until, n)
$python$;
COMMENT ON FUNCTION _periodic_schedule.py_runs_ahead(
    text[], text[], boolean[], bigint[], bigint[], bigint[], bigint[], bigint, integer
) IS
    'When these run, in order, up to a time, in microseconds since 1970, and which of them, from '
    '1: as many as it takes to name n schedules. Each is run first at firsts + spreads, and stands '
    'for so many schedules. Raises nothing: one that cannot be read has its first run alone';
