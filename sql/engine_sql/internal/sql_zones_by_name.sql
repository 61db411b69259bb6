CREATE OR REPLACE FUNCTION _periodic_schedule.sql_zones_by_name(OUT key text, OUT zone text)
RETURNS SETOF record
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $function$
BEGIN
    RETURN QUERY
    SELECT k.key, z.zone
    FROM _periodic_schedule.sql_zone_names() AS z (zone)
    CROSS JOIN LATERAL (VALUES (lower(z.zone COLLATE "C"))) AS l (small)
    CROSS JOIN LATERAL (
        SELECT l.small
        UNION ALL
        SELECT regexp_replace(l.small, '^.*/', '')
        WHERE split_part(l.small, '/', 1) IN (
                'africa', 'america', 'antarctica', 'asia', 'atlantic', 'australia', 'europe',
                'indian', 'pacific', 'us'
            )
            AND regexp_replace(l.small, '^[^/]*/?', '') NOT IN (
                -- No cities, or named as a better known place is that has another time.
                'act', 'lhi', 'north', 'nsw', 'queensland', 'south', 'tasmania', 'victoria', 'west',
                'central', 'east-indiana', 'eastern', 'mountain', 'pacific', 'easter', 'samoa',
                'argentina/san_juan', 'argentina/la_rioja', 'cordoba', 'argentina/cordoba',
                'merida', 'indiana/knox', 'knox_in', 'indiana/vincennes', 'north_dakota/center'
            )
    ) AS k (key);
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_zones_by_name() IS
    'All zones by their name in small letters, and those of cities by that of the city';
