-- Apart from py_load(): to compile it is work that a session's first write need not wait for.
CREATE OR REPLACE FUNCTION _periodic_schedule.py_load_explain() RETURNS void
LANGUAGE plpython3u STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
python = GD["@python_version@"]
if hasattr(python, "describe"):
    return

def validate():
@plpython/validate.py@
    return locals()

def describe():
@plpython/describe.py@
    return locals()

python.add(validate)
python.add(describe)
$python$;
COMMENT ON FUNCTION _periodic_schedule.py_load_explain() IS
    'Adds to what py_load() has loaded the Python of validate(), describe() and preview()';
