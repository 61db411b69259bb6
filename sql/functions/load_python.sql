-- The Python that all PL/Python functions share, read once a session, and once in each of its
-- parallel workers.  GD is shared by all roles of a session: only code goes there, no data.
-- Who calls a function in PL/Python calls this first: from Python it could not be called in a
-- parallel worker, where plpy.execute() fails.  Both are PARALLEL RESTRICTED, so that they run in one
-- process; what calls both is PARALLEL SAFE.  py_next_run_at() alone does without: it is SAFE, and
-- finds nothing where the code is not loaded.
CREATE OR REPLACE FUNCTION periodic_schedule.load_python() RETURNS void
LANGUAGE plpython3u STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
if "@python_version@" in GD:
    return

import sys
import types

def grammar():
@plpython/grammar.py@
    return locals()

def zones():
@plpython/zones.py@
    return locals()

def next_run():
@plpython/next_run.py@
    return locals()

def explain():
@plpython/explain.py@
    return locals()

def identity():
@plpython/identity.py@
    return locals()

loaded = types.SimpleNamespace()
others = {}
try:
    for body in (grammar, zones, next_run, explain, identity):
        name = body.__name__
        module = types.ModuleType(name)
        others[name] = sys.modules.get(name)
        sys.modules[name] = module  # for the imports of those that follow, and only while loading
        vars(module).update(body())
        setattr(loaded, name, module)
finally:
    for name, other in others.items():
        if other is None:
            del sys.modules[name]
        else:
            sys.modules[name] = other
GD["@python_version@"] = loaded
$python$;
COMMENT ON FUNCTION periodic_schedule.load_python() IS
    'Carries plpython/*.py; puts it in the session''s GD for the other PL/Python functions, which are called after this';
