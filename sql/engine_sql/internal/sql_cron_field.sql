CREATE OR REPLACE FUNCTION _periodic_schedule.sql_cron_field(
    text text, number integer,
    OUT mask bigint, OUT canonical text, OUT problem text, OUT part integer
)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $function$
DECLARE
    is_long boolean := octet_length(text) > 1000;
    parts text[];
    one text COLLATE "C";
    found record;
    texts text[] := '{}';
    is_other boolean := false;
BEGIN
    mask := 0;
    IF is_long THEN  -- of 100,000 parts few are others than those before them
        parts := ARRAY(
            SELECT DISTINCT p.part
            FROM unnest(trim_array(string_to_array(left(text, 1000), ','), 1)) AS p (part)
        );
        IF cardinality(parts) NOT BETWEEN 1 AND 100 OR text || ',' COLLATE "C" !~ (
            '^(?:(?:' || replace(regexp_replace(
                array_to_string(parts, ',') COLLATE "C", '[^0-9A-Za-z_,]', '\\\&', 'g'
            ), ',', '|') || '),)*$'
        ) THEN
            parts := ARRAY(
                SELECT p.part
                FROM unnest(string_to_array(text, ',')) WITH ORDINALITY AS p (part, place)
                GROUP BY p.part
                ORDER BY min(p.place)
            );
        END IF;
    ELSE
        parts := string_to_array(text, ',');
    END IF;
    IF text = '' THEN
        parts := '{""}';
    END IF;
    FOREACH one IN ARRAY parts LOOP
        found := _periodic_schedule.sql_cron_part(one, number);
        IF found.problem IS NOT NULL THEN
            mask := NULL;
            problem := found.problem;
            part := strpos(',' || text || ',', ',' || one || ',') - 1;
            RETURN;
        END IF;
        mask := mask | found.mask;
        is_other := is_other OR found.canonical <> one;
        texts := texts || found.canonical;
    END LOOP;
    canonical := CASE
        WHEN NOT is_other THEN text
        WHEN NOT is_long THEN array_to_string(texts, ',')
        ELSE (
            SELECT string_agg(t.canonical, ',' ORDER BY p.place)
            FROM unnest(string_to_array(text, ',')) WITH ORDINALITY AS p (part, place)
            JOIN unnest(parts, texts) AS t (part, canonical) ON t.part = p.part
        )
    END;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_cron_field(text, integer) IS
    'One field of a crontab (1: minute … 5: day of week): its values, bit n for n; its text '
    'without what Celery ignores; or what is wrong, and after how many characters that begins';
