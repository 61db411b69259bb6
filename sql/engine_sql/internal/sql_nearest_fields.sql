CREATE OR REPLACE FUNCTION _periodic_schedule.sql_nearest_fields(
    fields text[], counts_from_sunday boolean
) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $function$
DECLARE
    texts text[] COLLATE "C" := fields;
    nth text[] := regexp_match(texts[5], '^([0-9A-Za-z_]{1,9})#([1-5])$');
    week integer := nth[2];
    near text[] := '{}';
BEGIN
    IF nth IS NOT NULL AND texts[3] IN ('*', '?') THEN  -- the second Monday
        texts[3] := format('%s-%s', week * 7 - 6, least(week * 7, 31));
        texts[5] := nth[1];
    ELSIF texts[2:5] = '{24,*,*,*}' THEN
        texts[2] := '0';
    ELSIF texts = '{60,*,*,*,*}' THEN
        texts[1] := '0';
    END IF;
    IF NOT counts_from_sunday AND regexp_replace(texts[5], '/[0-9]+', '', 'g') ~ '[0-9]' THEN
        RETURN NULL;
    END IF;
    FOR number IN 1..5 LOOP
        near[number] := _periodic_schedule.sql_nearest_field(texts[number], number);
        IF near[number] IS NULL THEN
            RETURN NULL;
        END IF;
    END LOOP;
    -- Celery wants both days to match, other crons one of them.
    IF nth IS NULL AND near[3] <> '*' AND near[5] <> '*'
        AND (near[3] <> texts[3] OR near[5] <> texts[5])
    THEN
        RETURN NULL;
    END IF;
    RETURN array_to_string(near, ' ');
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_nearest_fields(text[], boolean) IS
    'Five fields of any cron in Celery''s words; NULL: nothing is near. counts_from_sunday: is '
    'Sunday 0 there? In Quartz it is 1, in Spring 0';
