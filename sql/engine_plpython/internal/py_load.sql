-- The Python that all PL/Python functions share, read once a session, and once in each of its
-- parallel workers.  GD is shared by all roles of a session: only code goes there, no data.  Who
-- calls a function in PL/Python calls this first: from Python it could not be called in a parallel
-- worker, where plpy.execute() fails.  Both are PARALLEL RESTRICTED, so that they run in one
-- process; what calls both is PARALLEL SAFE.  py_next_run_at() alone does without: it is SAFE, and
-- finds nothing where the code is not loaded.
CREATE OR REPLACE FUNCTION _periodic_schedule.py_load() RETURNS void
LANGUAGE plpython3u STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
if "@python_version@" in GD:
    return

import sys
import types

def celery_crontab():
@plpython/celery_crontab.py@
    return locals()

def zones():
@plpython/zones.py@
    return locals()

def solar():
@plpython/solar.py@
    return locals()

def next_run():
@plpython/next_run.py@
    return locals()

modules = {}
loaded = types.SimpleNamespace()

def add(body):
    others = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)  # for the imports of this one, and only while it loads
    try:
        module = types.ModuleType(body.__name__)
        vars(module).update(body())
    finally:
        for name, other in others.items():
            if other is None:
                del sys.modules[name]
            else:
                sys.modules[name] = other
    modules[body.__name__] = module
    setattr(loaded, body.__name__, module)

for body in (celery_crontab, zones, solar, next_run):
    add(body)
loaded.add = add
GD["@python_version@"] = loaded
$python$;
COMMENT ON FUNCTION _periodic_schedule.py_load() IS
    'Carries the Python of next runs; puts it in the session''s GD for the other PL/Python '
    'functions, which are called after this';
