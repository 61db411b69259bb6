-- The Python that all PL/Python functions share, read once a session.  GD is shared by all roles of
-- a session: only code goes there, no data.  Not in a parallel worker: its GD is not the session's.
CREATE FUNCTION periodic_schedule.load_python() RETURNS void
LANGUAGE plpython3u STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
import types

def next_run():
@plpython/next_run.py@
    return types.SimpleNamespace(**locals())

def identity():
@plpython/identity.py@
    return types.SimpleNamespace(**locals())

GD["@python_version@"] = types.SimpleNamespace(next_run=next_run(), identity=identity())
$python$;
COMMENT ON FUNCTION periodic_schedule.load_python() IS
    'Carries plpython/*.py; puts it in the session''s GD for the other PL/Python functions';
