-- Locks the mirror and the ledger until the transaction ends: nobody fires, takes or finishes
-- meanwhile.  Both at once: tick() has the one and then wants the other.
CREATE OR REPLACE FUNCTION _periodic_schedule.refuse_unsent(
    drop_unsent boolean, OUT number bigint, OUT names text
)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
DECLARE
    leased bigint;
BEGIN
    IF to_regclass('periodic_schedule.firing') IS NULL THEN
        RETURN;
    END IF;
    PERFORM _periodic_schedule.lock_tables(
        array_remove(ARRAY[
            to_regclass($id$@beat_schema@.pg_periodic_schedule$id$),
            to_regclass('periodic_schedule.firing')
        ], NULL), 'ACCESS EXCLUSIVE'
    );
    SELECT
        count(*), count(*) FILTER (WHERE f.state = 'leased'),
        array_to_string((array_agg(
            format('%s (%s)', f.task_name, f.scheduled_for) ORDER BY f.scheduled_for
        ))[:10], ', ') || CASE WHEN count(*) > 10 THEN ', …' ELSE '' END
    INTO number, leased, names
    FROM periodic_schedule.firing AS f WHERE f.ended_at IS NULL;
    IF number > 0 AND drop_unsent IS NOT TRUE THEN
        RAISE EXCEPTION '% firing(s) are not sent yet', number
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format(
                '%s waiting, %s leased: %s. Nothing was changed.', number - leased, leased, names
            ),
            HINT = 'Call periodic_schedule.release(), and let a scheduler, or take() and finish(), '
                'work off the ledger (docs/removal.md). Or drop them: take out with '
                'drop_unsent=yes.';
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.refuse_unsent(boolean) IS
    'Before the ledger is dropped: raises SQLSTATE 55000 with how many firings are waiting and '
    'leased. drop_unsent: returns that, with the names of ten, in place of raising';
