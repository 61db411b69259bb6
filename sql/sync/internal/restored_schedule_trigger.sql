-- A restore of data brings Beat's tables and the mirror one after the other, in any order, or at
-- the same time.  Where Beat's came first, our triggers have made mirror rows of them, which know
-- nothing of owner and past.
CREATE OR REPLACE FUNCTION _periodic_schedule.restored_schedule_trigger() RETURNS trigger
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET periodic_schedule.writing = 'on'
AS $function$
DECLARE
    columns CONSTANT text[] := ARRAY(  -- also what an application has added
        SELECT quote_ident(a.attname) FROM pg_attribute AS a
        WHERE a.attrelid = TG_RELID AND a.attnum > 0 AND NOT a.attisdropped
          AND a.attgenerated = '' AND a.attidentity <> 'a'
    );
    written bigint;
BEGIN
    -- Under another key: the dump is of a moment at which a rename was pending.
    DELETE FROM @beat_schema@.pg_periodic_schedule AS m
    WHERE m.periodic_task_id = new.periodic_task_id AND m.pipeline_id <> new.pipeline_id
      AND m.created_at > new.created_at;
    IF FOUND THEN
        PERFORM _periodic_schedule.defer_sync(
            'task', ARRAY[new.periodic_task_id::text], 'restored, and was to be renamed'
        );
    END IF;
    -- Another session's row may not be visible yet; and what is as old as this one, is no such row.
    EXECUTE format(
        'INSERT INTO %1$s AS m (%2$s) SELECT %3$s'
        ' ON CONFLICT (pipeline_id) DO UPDATE SET (%2$s) = ROW(%4$s)'
        ' WHERE m.created_at > excluded.created_at',
        TG_RELID::regclass, array_to_string(columns, ', '),
        '($1).' || array_to_string(columns, ', ($1).'),
        'excluded.' || array_to_string(columns, ', excluded.')
    ) USING new;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written = 0 THEN
        RETURN new;  -- which is an error: the key is there
    END IF;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.restored_schedule_trigger() IS
    'Row trigger on the mirror: a row that was made before this transaction, and so comes from a '
    'dump, takes the place of the one that our triggers have made of its task meanwhile';
