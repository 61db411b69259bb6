CREATE OR REPLACE FUNCTION _periodic_schedule.sql_doubts_of_field(text text, number integer)
RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
-- Longer than 80 lines: each doubt has its words.
AS $function$
DECLARE
    low integer := ('{0,0,1,1,0}'::integer[])[number];
    field text := ('{minute,hour,day_of_month,month_of_year,day_of_week}'::text[])[number];
    part text COLLATE "C";
    read record;
    listed text;
    words text[] COLLATE "C";
    names text[];
    nth text[];
    step integer;
    size integer;
    doubts text[] := '{}';
BEGIN
    FOR part IN
        SELECT p.part
        FROM unnest(_periodic_schedule.sql_list_parts(text)) WITH ORDINALITY AS p (part, place)
        GROUP BY p.part
        ORDER BY min(p.place)
    LOOP
        read := _periodic_schedule.sql_cron_part(part, number);
        listed := array_to_string(_periodic_schedule.sql_values(read.mask), ',');
        names := ARRAY(
            SELECT n.found[1] FROM regexp_matches(part, '[A-Za-z_]+', 'g') AS n (found)
        );
        words := regexp_match(
            part,
            '^(?:\*|([0-9A-Za-z_]+)(?:-([0-9A-Za-z_]+))?)(?:/([1-9][0-9]{0,3}))?$'
        );
        step := words[3];
        IF read.canonical <> part OR words IS NULL OR EXISTS (
            SELECT
            FROM unnest(names) AS n (name)
            WHERE NOT _periodic_schedule.sql_is_name(n.name)
        ) THEN
            doubts := doubts || format('Celery reads %s %s as %s', field, part, listed);
            nth := regexp_match(part, '^([0-9A-Za-z_]{1,9})#([1-5])$');
            IF number = 5 AND nth IS NOT NULL THEN
                doubts[cardinality(doubts)] := doubts[cardinality(doubts)] || format(
                    '; %s-%s as day_of_month says which one',
                    nth[2]::integer * 7 - 6, least(nth[2]::integer * 7, 31)
                );
            END IF;
        ELSIF EXISTS (
            SELECT
            FROM unnest(names) AS n (name)
            WHERE lower(left(n.name, 3) COLLATE "C") NOT IN (
                SELECT k.name FROM _periodic_schedule.sql_names(number) AS k
            )
        ) THEN
            doubts := doubts || format('%s %s is for Celery %s', field, part, listed);
        ELSIF step IS NOT NULL AND words[1] IS NULL THEN
            size := ('{60,24,31,12,7}'::integer[])[number];
            IF step > size THEN
                doubts := doubts || format(
                    '%s %s is %s only: it has no %s values', field, part, low, words[3]
                );
            ELSIF step > size / 2.0 AND step < size THEN
                doubts := doubts || format(
                    '%s %s is %s and %s, not every %s', field, part, low, low + step, words[3]
                );
            END IF;
        ELSIF step IS NOT NULL AND words[2] IS NOT NULL THEN
            read := _periodic_schedule.sql_cron_part(words[1] || '-' || words[2], number);
            IF step > cardinality(_periodic_schedule.sql_values(read.mask)) THEN
                doubts := doubts || format(
                    '%s %s is %s only: it has no %s values', field, part, words[1], words[3]
                );
            END IF;
        ELSIF words[1] = words[2] THEN
            doubts := doubts || format('%s %s is %s only', field, part, words[1]);
        ELSIF part = '*' AND text <> '*' THEN
            doubts := doubts || format('%s %s is *', field, text);
        END IF;
    END LOOP;
    RETURN doubts;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_doubts_of_field(text, integer) IS
    'What a valid field of a crontab (1: minute … 5: day of week) says that is hardly meant';
