CREATE OR REPLACE FUNCTION _periodic_schedule.sql_cron_error(
    text text, number integer, problem text, "position" integer
) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT CASE
        WHEN problem = _periodic_schedule.sql_foreign_problem() THEN ARRAY[
            problem,
            format(
                'What %s %s means to Celery depends on digits or letters of other scripts.',
                f.name, _periodic_schedule.sql_quoted(text)
            ),
            'Write the digits 0-9, and names in English, or install plpython3u.',
            f.name, "position"::text, 'feature_not_supported'
        ]
        ELSE ARRAY[
            format(
                'crontab %s %s is invalid: %s', f.name, _periodic_schedule.sql_quoted(text), problem
            ),
            format('Celery''s crontab parser rejects the %s field.', f.name),
            _periodic_schedule.sql_cron_hint(),
            f.name, "position"::text
        ]
    END
    FROM (
        VALUES (('{minute,hour,day_of_month,month_of_year,day_of_week}'::text[])[number])
    ) AS f (name)
);
COMMENT ON FUNCTION _periodic_schedule.sql_cron_error(text, integer, text, integer) IS
    'What sql_read_crontab() says of a field that is wrong; number: 1: minute … 5: day of week';
