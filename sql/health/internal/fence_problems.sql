-- Longer than 80 lines: each state has a text of its own, with what mends it.
CREATE OR REPLACE FUNCTION _periodic_schedule.fence_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    beat_table CONSTANT regclass := (_periodic_schedule.beat_tables())[1];
    is_stopped CONSTANT boolean := _periodic_schedule.is_beat_stopped();
    fires_too CONSTANT text := 'Beat may fire what Postgres fires too';
    meanwhile CONSTANT text := fires_too || ', and new schedules are left to Beat';
    nobody text;
BEGIN
    IF beat_table IS NULL THEN  -- it fires nothing
        RETURN;
    END IF;
    IF is_stopped THEN
        nobody := 'which is stopped, as an operator has said: nobody fires them. Adopt them, or '
            'see why not: SELECT * FROM periodic_schedule.adopt(beat_is_stopped => true);';
        RETURN QUERY
        SELECT
            CASE WHEN r.role_name IS NULL THEN 'unfenced' ELSE 'left_to_beat' END, NULL::uuid,
            format(
                'Beat is stopped, as an operator has said at %s, but %s, which Postgres does not '
                'fire, ran at %s: if Beat runs, %s', i.beat_is_stopped_at, m.task_name,
                m.last_run_at, CASE
                    WHEN r.role_name IS NULL THEN fires_too || ': fence the role that it connects '
                        'as, by fence_beat(), or stop it, and '
                        'SELECT * FROM periodic_schedule.adopt(beat_is_stopped => true);'
                    ELSE format('SELECT periodic_schedule.fence_beat(%L);', r.role_name)
                END
            )
        FROM _periodic_schedule.installation AS i
        JOIN @beat_schema@.pg_periodic_schedule AS m
            ON NOT m.pg_owned AND m.last_run_at > i.beat_is_stopped_at
            AND m.last_run_at <= clock_timestamp()  -- else see future_times
        LEFT JOIN _periodic_schedule.fenced_roles() AS r ON periodic_schedule.is_beat_fenced()
        ORDER BY m.last_run_at DESC LIMIT 1;
        IF FOUND THEN
            RETURN;
        END IF;
    ELSE
        RETURN QUERY
        SELECT 'unfenced', NULL::uuid, format(
            'role %s was fenced and is not any more, so that %s: %s', f.role_name, meanwhile,
            f.cure
        )
        FROM _periodic_schedule.fenced_roles() AS f WHERE f.cure IS NOT NULL;
        IF NOT FOUND AND NOT periodic_schedule.is_beat_fenced()
            AND _periodic_schedule.is_fence_needed() THEN
            RETURN QUERY SELECT 'unfenced', NULL::uuid, format(
                'there is no fence, and nobody has said that Beat is stopped, so that %s: fence '
                'the role that it connects as, by fence_beat(), or stop it, and '
                'SELECT * FROM periodic_schedule.adopt(beat_is_stopped => true);', meanwhile
            );
        END IF;
        -- A restrictive RLS policy alone hides everything.
        nobody := (
            SELECT format(
                'and role %s, which is fenced, sees no schedule at all: nobody fires them. '
                'CREATE POLICY periodic_schedule_all ON %s USING (true) WITH CHECK (true); '
                'SELECT periodic_schedule.fence_beat(%L);',  -- which asks Beat to reload
                string_agg(f.role_name, ', '), beat_table, min(f.role_name)
            )
            FROM _periodic_schedule.fenced_roles() AS f
            JOIN pg_class AS c ON c.oid = beat_table AND c.relrowsecurity
            WHERE f.cure IS NULL AND NOT EXISTS (
                SELECT FROM pg_policy AS y CROSS JOIN LATERAL unnest(y.polroles) AS p (id)
                WHERE y.polrelid = beat_table AND y.polpermissive AND y.polcmd IN ('*', 'r')
                  AND CASE WHEN p.id = 0 THEN true
                      ELSE pg_has_role(f.role_name, p.id, 'USAGE') END
            )
            HAVING count(*) > 0
        );
    END IF;
    IF nobody IS NOT NULL THEN
        RETURN QUERY
        SELECT 'left_to_beat', NULL::uuid, format(
            '%s enabled schedules are Beat''s, %s', count(*), nobody
        )
        FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.enabled AND NOT m.pg_owned
          AND (
              m.next_run_at IS NOT NULL OR m.sync_error IS NOT NULL
              AND _periodic_schedule.is_beyond_engine(m.cron_string, m.timezone)
          )
          AND coalesce(m.expires > clock_timestamp(), true)
        HAVING count(*) > 0;
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.fence_problems() IS
    'What Postgres fires and nothing keeps a stock Beat from, and what nobody fires: a part of '
    'setup_problems()';
