CREATE OR REPLACE FUNCTION _periodic_schedule.sql_cron_field(
    text text, number integer,
    OUT mask bigint, OUT canonical text, OUT problem text, OUT part integer
)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $function$
DECLARE
    parts text[] COLLATE "C";
    one text COLLATE "C";
    found record;
    texts text[] COLLATE "C" := '{}';
BEGIN
    mask := _periodic_schedule.sql_plain_mask(text, number);
    IF mask IS NOT NULL THEN
        canonical := text;
        RETURN;
    END IF;
    mask := 0;
    parts := _periodic_schedule.sql_list_parts(text);
    FOREACH one IN ARRAY parts LOOP
        found := _periodic_schedule.sql_cron_part(one, number);
        IF found.problem IS NOT NULL THEN
            mask := NULL;
            problem := found.problem;
            part := strpos(',' || text || ',', ',' || one || ',') - 1;
            RETURN;
        END IF;
        mask := mask | found.mask;
        texts := texts || found.canonical;
    END LOOP;
    IF texts = parts THEN
        canonical := text;
    ELSIF octet_length(text) <= 1000 THEN
        canonical := array_to_string(texts, ',');
    ELSE
        canonical := (
            SELECT string_agg(t.canonical, ',' ORDER BY p.place)
            FROM unnest(string_to_array(text, ',')) WITH ORDINALITY AS p (part, place)
            JOIN unnest(parts, texts) AS t (part, canonical) ON t.part = p.part
        );
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_cron_field(text, integer) IS
    'One field of a crontab (1: minute … 5: day of week): its values, bit n for n; its text '
    'without what Celery ignores; or what is wrong, and after how many characters that begins';
