CREATE OR REPLACE FUNCTION _periodic_schedule.sql_list_parts(text text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $function$
DECLARE
    parts text[] COLLATE "C";
    piece text COLLATE "C";
BEGIN
    IF octet_length(text) <= 1000 THEN
        RETURN CASE WHEN text = '' THEN '{""}' ELSE string_to_array(text, ',') END;
    END IF;
    -- Of 100,000 parts few are others than those among the first, which is quick to see.
    FOREACH piece IN ARRAY ARRAY[regexp_replace(left(text, 1000), ',[^,]*$', ''), text] LOOP
        parts := ARRAY(
            SELECT p.part
            FROM unnest(string_to_array(piece, ',')) WITH ORDINALITY AS p (part, place)
            GROUP BY p.part
            ORDER BY min(p.place)
        );
        EXIT WHEN piece = text OR (text || ',') COLLATE "C" ~ (
            '^(?:(?:' || replace(
                regexp_replace(array_to_string(parts, ','), '[^0-9A-Za-z_,]', '\\\&', 'g'), ',', '|'
            ) || '),)*$'
        );
    END LOOP;
    RETURN parts;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_list_parts(text) IS
    'The parts of a list with commas, in order; of a long list, each of them once';
