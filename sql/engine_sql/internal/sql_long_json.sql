CREATE OR REPLACE FUNCTION _periodic_schedule.sql_long_json(
    content text, names text[], OUT problem text, OUT value text, OUT items text[]
)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    read CONSTANT json := content;
BEGIN
    CASE json_typeof(read)
        WHEN 'array' THEN
            value := 'l+';
            items := ARRAY[
                _periodic_schedule.sql_json_scalar((read -> 0)::text),
                _periodic_schedule.sql_json_scalar((read -> 1)::text)
            ];
            items := array_remove(items, NULL);
        WHEN 'object' THEN
            value := 'd+';
            IF names IS NULL THEN
                items := ARRAY(
                    SELECT 's' || replace(k.name, '\', '\\')
                    FROM json_object_keys(read) WITH ORDINALITY AS k (name, number)
                    GROUP BY k.name ORDER BY min(k.number) LIMIT 2
                );
            ELSE
                FOR at IN 1 .. cardinality(names) LOOP
                    IF strpos(content, names[at]) > 0 THEN
                        items[at] := _periodic_schedule.sql_json_scalar((read -> names[at])::text);
                    END IF;
                END LOOP;
            END IF;
        ELSE
            value := _periodic_schedule.sql_json_scalar(btrim(content, E' \t\n\r'));
    END CASE;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_long_json(text, text[]) IS
    'As sql_json(), of a text that PostgreSQL reads, without \u, a __type__ or a number of more '
    'than 4300 digits';
