CREATE OR REPLACE FUNCTION _periodic_schedule.sql_cron_part(
    part text, number integer, OUT mask bigint, OUT canonical text, OUT problem text
)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
-- Longer than 80 lines: one part can be wrong in each of its words, in Celery's order.
AS $function$
DECLARE
    low integer := ('{0,0,1,1,0}'::integer[])[number];
    high integer := ('{59,23,31,12,6}'::integer[])[number];
    start integer := low;
    stop integer := high;
    step integer := 1;
    words text[];
    found record;
BEGIN
    IF part = '*' OR part = E'*\n' THEN
        mask := (2::bigint << high) - (1 << low);
        canonical := '*';
        RETURN;
    END IF;
    start := _periodic_schedule.sql_plain_value(part);
    IF start BETWEEN low AND high THEN
        mask := 1::bigint << start;
        canonical := part;
        RETURN;
    ELSIF part = '' THEN
        problem := 'it has an empty part';
        RETURN;
    END IF;
    found := _periodic_schedule.sql_words(part);
    words := found.words;
    IF found.problem IS NOT NULL THEN
        problem := found.problem;
        RETURN;
    ELSIF words IS NULL THEN
        found := _periodic_schedule.sql_cron_number(part, low, high);
        mask := 1::bigint << found.value;
        problem := found.problem;
        canonical := substring(  -- of a name, three letters are read
            part COLLATE "C" FROM '[^\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a'
            '\u2028\u2029\u202f\u205f\u3000]+'
        );
        IF starts_with(canonical, '-') THEN  -- " -0" is a number, "-0" is not
            canonical := '0';
        END IF;
        RETURN;
    END IF;
    start := low;
    canonical := '*';
    IF words[1] IS NOT NULL THEN
        canonical := words[1] || '-' || words[2];
        found := _periodic_schedule.sql_cron_number(words[1], low, high);
        start := found.value;
        IF found.problem IS NULL THEN
            found := _periodic_schedule.sql_cron_number(words[2], low, high);
            stop := found.value;
        END IF;
        problem := found.problem;
    END IF;
    IF words[3] IS NOT NULL AND problem IS NULL THEN
        canonical := canonical || '/' || words[3];
        step := _periodic_schedule.sql_int(words[3]);
        IF words[3] = '' THEN
            problem := 'the step after / is missing';
        ELSIF step = 0 THEN
            problem := 'a step of 0 never advances';
        ELSIF _periodic_schedule.sql_is_foreign_number(words[3]) THEN
            problem := _periodic_schedule.sql_foreign_problem();
        ELSIF step IS NULL THEN
            problem := 'step ' || _periodic_schedule.sql_quoted(words[3]) || ' is not a number';
        END IF;
    END IF;
    step := least(step, 61);  -- of 60 values, one
    IF problem IS NOT NULL THEN
        RETURN;
    ELSIF start <= stop THEN
        mask := _periodic_schedule.sql_steps(step) << start & (2::bigint << stop) - 1;
    ELSE  -- around the end, where the steps go on
        mask := (_periodic_schedule.sql_steps(step) << start & (2::bigint << high) - 1) | (
            _periodic_schedule.sql_steps(step)
            << (low + (step - (high - start + 1) % step) % step) & (2::bigint << stop) - 1
        );
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_cron_part(text, integer) IS
    'One part of the list that a crontab''s field is (1: minute … 5: day of week): its values, bit '
    'n for n; the text that Celery really looks at; or what is wrong';
