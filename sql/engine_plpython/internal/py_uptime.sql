CREATE OR REPLACE FUNCTION _periodic_schedule.py_uptime() RETURNS double precision
LANGUAGE plpython3u VOLATILE
SET search_path = pg_catalog, pg_temp
AS $python$
import time

clock = getattr(time, "CLOCK_BOOTTIME", None)  # it goes on while the machine sleeps
return time.monotonic() if clock is None else time.clock_gettime(clock)
$python$;
COMMENT ON FUNCTION _periodic_schedule.py_uptime() IS
    'Seconds since some moment, the same one until the server''s machine is started anew: a clock '
    'that nobody sets';
