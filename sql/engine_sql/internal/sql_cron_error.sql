CREATE OR REPLACE FUNCTION _periodic_schedule.sql_cron_error(
    text text, number integer, problem text, "position" integer
) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $function$
DECLARE
    field text := ('{minute,hour,day_of_month,month_of_year,day_of_week}'::text[])[number];
BEGIN
    IF problem = _periodic_schedule.sql_foreign_problem() THEN
        RETURN ARRAY[
            problem,
            format(
                'What %s %s means to Celery depends on digits or letters of other scripts.',
                field, _periodic_schedule.sql_quoted(text)
            ),
            'Write the digits 0-9, and names in English; or, where the server has plpython3u, as a '
            'superuser: install with engine=plpython',
            field, "position"::text, 'feature_not_supported'
        ];
    END IF;
    RETURN ARRAY[
        format(
            'crontab %s %s is invalid: %s', field, _periodic_schedule.sql_quoted(text), problem
        ),
        format('Celery''s crontab parser rejects the %s field.', field),
        _periodic_schedule.sql_cron_hint(),
        field, "position"::text
    ];
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_cron_error(text, integer, text, integer) IS
    'What sql_read_crontab() says of a field that is wrong; number: 1: minute … 5: day of week';
