-- Apart from py_load(): no write and no tick needs it, nor croniter, which it imports when called.
CREATE OR REPLACE FUNCTION _periodic_schedule.py_load_verify() RETURNS void
LANGUAGE plpython3u STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
python = GD["@python_version@"]
if hasattr(python, "verify"):
    return

def verify():
@plpython/verify.py@
    return locals()

python.add(verify)
$python$;
COMMENT ON FUNCTION _periodic_schedule.py_load_verify() IS
    'Adds to what py_load() has loaded the Python of verify() and verify_all()';
