CREATE OR REPLACE FUNCTION _periodic_schedule.sql_nearest_zone(name text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $function$
DECLARE
    wanted text COLLATE "C";
    city text COLLATE "C";
    keys text[] COLLATE "C";
    zones text[] COLLATE "C";
    close text[] COLLATE "C";
    found text[] COLLATE "C";
    whole text;
BEGIN
    IF length(name) > 60 THEN
        RETURN NULL;
    END IF;
    wanted := regexp_replace(
        _periodic_schedule.sql_lower(btrim(_periodic_schedule.sql_strip(name), '/')),
        '[\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f'
        '\u3000]+',
        '_', 'g'
    );
    wanted := regexp_replace(
        wanted,
        '^(africa|america|antarctica|asia|atlantic|australia|europe|indian|pacific|us)'
        '[\u0001-/:-@\u005b-\u0060\u007b-\u007f\u2010-\u2015]+'
        '(?=[^\u0001-/:-@\u005b-\u0060\u007b-\u007f\u2010-\u2015])',
        '\1/'
    );
    IF wanted ~ '[+-][0-9:]+$' THEN  -- the sign of GMT+2 can be either
        RETURN NULL;
    END IF;
    SELECT array_agg(z.key), array_agg(z.zone) INTO keys, zones
    FROM _periodic_schedule.sql_zones_by_name() AS z;
    found := ARRAY(
        SELECT n.zone
        FROM unnest(keys, zones) AS n (key, zone)
        WHERE n.key = wanted
        ORDER BY n.zone
    );
    -- Abbreviations are too near to each other, and many a city to another one.
    IF found = '{}' AND strpos(wanted, '/') > 0 AND wanted !~ '[0-9]' THEN
        city := regexp_replace(wanted, '^.*/', '');
        close := _periodic_schedule.sql_close_matches(
            wanted, ARRAY(SELECT DISTINCT k.key FROM unnest(keys) AS k (key)), 0.85
        );
        found := ARRAY(
            SELECT n.zone
            FROM unnest(close) WITH ORDINALITY AS c (key, place)
            CROSS JOIN LATERAL (VALUES (regexp_replace(c.key, '^.*/', ''))) AS o (near)
            JOIN unnest(keys, zones) AS n (key, zone) ON n.key = c.key
            WHERE abs(length(o.near) - length(city)) < 2 AND cardinality(
                _periodic_schedule.sql_close_matches(city, ARRAY[o.near], 0.8)
            ) > 0
            ORDER BY c.place, n.zone
        );
    END IF;
    SELECT f.zone INTO whole
    FROM unnest(found) WITH ORDINALITY AS f (zone, place)
    WHERE lower(f.zone) = wanted
    ORDER BY f.place LIMIT 1;
    IF whole IS NULL AND NOT EXISTS (  -- some have several names, and are one from 2026 to 2030
        SELECT
        FROM generate_series(0, 59) AS n (month)
        CROSS JOIN LATERAL (
            VALUES (to_timestamp(1767225600 + n.month * 2592000))
        ) AS m (moment)
        CROSS JOIN unnest(found) AS f (zone)
        WHERE m.moment AT TIME ZONE (':' || f.zone) <> m.moment AT TIME ZONE (':' || found[1])
    ) THEN
        whole := found[1];
    END IF;
    RETURN whole;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_nearest_zone(text) IS
    'The zone that was meant; NULL: nothing is near, or zones of different times';
