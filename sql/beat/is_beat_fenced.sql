CREATE OR REPLACE FUNCTION periodic_schedule.is_beat_fenced() RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN EXISTS (
        SELECT FROM pg_policy AS y JOIN pg_class AS c ON c.oid = y.polrelid
        WHERE c.oid = to_regclass($id$@beat_schema@.django_celery_beat_periodictask$id$)
          AND y.polname = 'periodic_schedule_beat' AND c.relrowsecurity
    );
END
$function$;
COMMENT ON FUNCTION periodic_schedule.is_beat_fenced() IS
    'Is there a role that cannot see schedules that Postgres owns, for a stock Beat to run as? See '
    'fence_beat()';
