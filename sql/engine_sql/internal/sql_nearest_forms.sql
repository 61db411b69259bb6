CREATE OR REPLACE FUNCTION _periodic_schedule.sql_nearest_forms(
    expression text, timezone text, field text
) RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $function$
DECLARE
    stripped text COLLATE "C";
    kind text COLLATE "C";
    moment text COLLATE "C";
    near text[] := '{}';
BEGIN
    IF field = 'timezone' THEN
        RETURN array_remove(ARRAY[_periodic_schedule.sql_nearest_zone(timezone)], NULL);
    ELSIF length(expression) > 200 THEN
        RETURN near;
    END IF;
    stripped := _periodic_schedule.sql_strip(expression);
    kind := lower(split_part(stripped, ' ', 1));
    IF stripped = '' OR kind = '@solar' THEN  -- which only Python reads
        RETURN near;
    ELSIF kind = '@every' THEN
        near := ARRAY[_periodic_schedule.sql_nearest_interval(expression)];
    ELSIF kind = '@at' THEN
        moment := _periodic_schedule.sql_strip(substr(stripped, 4));
        IF moment ~ '[Zz]$' OR timezone IN ('UTC', 'Etc/UTC', 'Zulu', 'Etc/Zulu') THEN
            near := ARRAY['@at ' || rtrim(moment, 'Zz') || 'Z'];
        END IF;
    ELSE
        near := _periodic_schedule.sql_nearest_crontabs(expression);
    END IF;
    IF EXISTS (
        SELECT
        FROM unnest(near) AS n (form)
        WHERE n.form IS NULL
            OR _periodic_schedule.sql_schedule_error(n.form, timezone) IS NOT NULL
    ) THEN
        RETURN '{}';
    END IF;
    RETURN near;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_nearest_forms(text, text, text) IS
    'What was meant, if it can be told: expressions, or a zone, that run. field: what is wrong';
