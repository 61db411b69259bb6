-- A restore of data brings Beat's tables and the mirror one after the other, in any order, or at
-- the same time.  Where Beat's came first, our triggers have made mirror rows of them, which know
-- nothing of owner and past.
CREATE OR REPLACE FUNCTION _periodic_schedule.restored_schedule_trigger() RETURNS trigger
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET vacuum_cost_page_hit = 9090  -- says that the mirror is written by us
AS $function$
DECLARE
    columns CONSTANT text[] := ARRAY(  -- also what an application has added
        SELECT quote_ident(a.attname) FROM pg_attribute AS a
        WHERE a.attrelid = TG_RELID AND a.attnum > 0 AND NOT a.attisdropped
          AND a.attgenerated = '' AND a.attidentity <> 'a'
    );
    renamed text[];
    written bigint;
BEGIN
    FOR attempt IN 1..2 LOOP  -- another session's row may be visible only after the wait for it
        WITH made_meanwhile AS (  -- not what is as old as this one
            DELETE FROM @beat_schema@.pg_periodic_schedule AS m
            WHERE (m.pipeline_id = new.pipeline_id OR m.periodic_task_id = new.periodic_task_id)
              AND (
                  m.created_at > new.created_at
                  -- Made where the clock is ahead: that says nothing of which is older.
                  OR (new.created_at > now() AND m.created_at <> new.created_at)
              )
            RETURNING m.pipeline_id, m.periodic_task_id
        )

        -- The dump is of a moment at which a rename was pending.
        SELECT array_agg(g.periodic_task_id::text) INTO renamed FROM made_meanwhile AS g
        WHERE (g.pipeline_id, g.periodic_task_id) <> (new.pipeline_id, new.periodic_task_id);
        IF renamed IS NOT NULL THEN
            PERFORM _periodic_schedule.defer_sync(
                'task', renamed, 'restored, and was to be renamed'
            );
        END IF;
        EXECUTE format(
            'INSERT INTO %s (%s) SELECT %s ON CONFLICT DO NOTHING',
            TG_RELID::regclass, array_to_string(columns, ', '),
            '($1).' || array_to_string(columns, ', ($1).')
        ) USING new;
        GET DIAGNOSTICS written = ROW_COUNT;
        IF written > 0 THEN
            RETURN NULL;
        END IF;
    END LOOP;
    RETURN new;  -- which is an error: a key is there
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.restored_schedule_trigger() IS
    'Row trigger on the mirror: a row that was made before this transaction, and so comes from a '
    'dump, takes the place of the one that our triggers have made of its task meanwhile';
