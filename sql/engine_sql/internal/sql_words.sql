CREATE OR REPLACE FUNCTION _periodic_schedule.sql_words(
    part text, OUT words text[], OUT problem text
)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
-- Whether a character is a letter depends on the release of Unicode, and in PostgreSQL on the
-- locale.  Known here are those that people write; where others decide, we say that we cannot.
AS $function$
DECLARE
    is_ascii boolean := octet_length(part) = length(part);
    word text COLLATE "C" := '^[0-9A-Za-z_]+';  -- what may be one
    rest text COLLATE "C" := part;
    first text;
    last text;
BEGIN
    IF NOT is_ascii THEN
        word := '^[^\u0001-/:-@\u005b-\u005e`{-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf'
            '\u00d7\u00f7\u0300-\u036f\u1680\u2000-\u206f\u20a0-\u20c0\u3000-\u3003\ufe00-\ufe0f'
            '\ufeff\U0001f300-\U0001faff]+';
    END IF;
    IF starts_with(part, '*/') THEN
        rest := substr(part, 2);
    ELSE
        first := substring(rest FROM word);
        rest := substr(part, length(first) + 1);
        IF NOT coalesce(starts_with(rest, '-'), false) THEN
            RETURN;
        END IF;
        rest := substr(rest, 2);
        last := substring(rest FROM word);
        IF last IS NULL THEN
            RETURN;
        END IF;
        rest := substr(rest, length(last) + 1);
    END IF;
    words := ARRAY[
        first, last,
        CASE WHEN starts_with(rest, '/') THEN coalesce(substring(substr(rest, 2) FROM word), '') END
    ];
    IF NOT is_ascii AND array_to_string(words, '') COLLATE "C" ~ (
        '[^0-9A-Za-z_\u00aa\u00b2-\u00b3\u00b5\u00b9-\u00ba\u00bc-\u00be\u00c0-\u00d6\u00d8-\u00f6'
        '\u00f8-\u024f\u0391-\u03a1\u03a3-\u03c9\u0400-\u0481\u048a-\u052f\u3041-\u3096'
        '\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3]'
    ) THEN
        problem := _periodic_schedule.sql_foreign_problem();
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_words(text) IS
    'The first, the last and the step of a-b, a-b/n and */n, as Celery''s patterns find them in '
    'one part of a list: what follows is ignored. NULL: it is none of these';
