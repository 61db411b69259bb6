CREATE OR REPLACE FUNCTION _periodic_schedule.sql_validate(
    cron_string text, timezone text, now timestamptz,
    OUT valid boolean, OUT error text, OUT field text, OUT "position" integer, OUT hint text,
    OUT warning text
)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    report text[] := _periodic_schedule.sql_schedule_error(cron_string, timezone);
    near text;
    gmt text[];
    doubts text[];
BEGIN
    valid := report IS NULL;
    IF NOT valid THEN
        error := report[1];
        hint := report[3];
        field := report[4];
        "position" := report[5];
        near := array_to_string(
            _periodic_schedule.sql_nearest_forms(cron_string, timezone, field), ' or '
        );
        IF near <> '' THEN
            hint := format('Did you mean %s? %s', near, hint);
        END IF;
        RETURN;
    ELSIF starts_with(cron_string, '@') THEN
        RETURN;
    END IF;
    doubts := _periodic_schedule.sql_doubts_of_crontab(cron_string);
    gmt := regexp_match(timezone COLLATE "C", '^(?:Etc/)?GMT([+-])([0-9]+)$');
    IF gmt[2] ~ '[1-9]' THEN
        doubts := doubts || format(
            '%s is %s hours %s UTC',
            timezone, gmt[2], CASE gmt[1] WHEN '+' THEN 'behind' ELSE 'ahead of' END
        );
    ELSIF timezone IN ('EST', 'MST', 'HST') THEN
        doubts := doubts || format('%s has no summer time', timezone);
    END IF;
    warning := nullif(array_to_string(doubts, '; '), '');
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_validate(text, text, timestamptz) IS
    'As py_validate(), but for @solar and for digits that are not ASCII: those are errors';
