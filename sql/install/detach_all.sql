-- The way back begins here: Beat fires again what Postgres owned, and nothing of ours is left on
-- tables that stay.  Then everything is dropped, in the reverse order of its creation
-- (assemble.py).
-- The switch drop_unsent=yes is a setting here.
DO $do$
DECLARE
    given CONSTANT text := coalesce(
        nullif(current_setting('periodic_schedule.drop_unsent', true), ''), 'no'
    );
    given_back text;
    command text;
BEGIN
    IF given NOT IN ('yes', 'no') THEN
        RAISE EXCEPTION 'drop_unsent is %, it must be yes or no', quote_literal(given)
            USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'It says whether firings are dropped that are not sent yet. Nothing was '
                'changed.',
            HINT = 'take out with drop_unsent=yes';
    END IF;
    FOR given_back IN
        SELECT d.detail FROM periodic_schedule.detach(given = 'yes') AS d
        WHERE d.what = 'schedules'
    LOOP
        RAISE NOTICE 'schedules: %, which must run', given_back;
    END LOOP;
EXCEPTION WHEN undefined_table OR undefined_column OR undefined_function OR invalid_schema_name THEN
    -- Of ours, that is: what is wrong with Beat's tables, detach() says in its own words.
    RAISE WARNING 'something of ours is gone, so what can be is taken out: %', sqlerrm;
    FOR command IN
        SELECT format('DROP TRIGGER %I ON %s', g.tgname, g.tgrelid::regclass)
        FROM pg_trigger AS g
        JOIN pg_proc AS f ON f.oid = g.tgfoid
        JOIN pg_namespace AS n ON n.oid = f.pronamespace
        WHERE n.nspname = '_periodic_schedule' AND NOT g.tgisinternal AND g.tgparentid = 0
        UNION ALL
        SELECT format('DROP POLICY %I ON %s', y.polname, y.polrelid::regclass)
        FROM pg_policy AS y
        WHERE y.polname IN ('periodic_schedule_beat', 'periodic_schedule_all')
        UNION ALL
        SELECT format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', y.polrelid::regclass)
        FROM pg_policy AS y WHERE y.polname = 'periodic_schedule_all'
    LOOP
        EXECUTE command;
    END LOOP;
    BEGIN
        UPDATE @beat_schema@.django_celery_beat_periodictask AS p
        SET last_run_at = greatest(p.last_run_at, m.last_run_at),
            total_run_count = p.total_run_count + m.run_count,
            enabled = p.enabled AND NOT p.one_off
        FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.pg_owned AND m.run_count > 0 AND m.periodic_task_id = p.id
          AND m.task_name = p.name;
        UPDATE @beat_schema@.django_celery_beat_periodictasks AS c
        SET last_update = clock_timestamp();  -- Beat reads its tables again
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'Beat may fire again what Postgres has fired last: %', sqlerrm;
    END;
END
$do$;
-- Once more: where the ledger had another name before, or something that was looked for is gone.
DO $do$
DECLARE
    drop_unsent CONSTANT boolean :=
        current_setting('periodic_schedule.drop_unsent', true) IS NOT DISTINCT FROM 'yes';
    unsent record;
BEGIN
    IF to_regclass('periodic_schedule.firing') IS NULL THEN
        RETURN;
    END IF;
    BEGIN
        unsent := _periodic_schedule.refuse_unsent(drop_unsent);
    EXCEPTION
        WHEN undefined_table OR undefined_column OR undefined_function OR invalid_schema_name THEN
        LOCK TABLE periodic_schedule.firing IN ACCESS EXCLUSIVE MODE;
        SELECT
            count(*) AS number, count(f.lease_until) AS leased,
            string_agg(f.task_name, ', ') AS names
        INTO unsent
        FROM periodic_schedule.firing AS f WHERE f.ended_at IS NULL;
        IF unsent.number > 0 AND NOT drop_unsent THEN
            RAISE EXCEPTION '% firing(s) are not sent yet, and cannot be', unsent.number
                USING ERRCODE = 'object_not_in_prerequisite_state',
                DETAIL = format(
                    '%s waiting, %s leased: %s. Nothing was changed.',
                    unsent.number - unsent.leased, unsent.leased, unsent.names
                ),
                HINT = 'take out with drop_unsent=yes: that drops them.';
        END IF;
    END;
    IF unsent.number > 0 THEN
        RAISE WARNING '% firing(s) were not finished, and nobody sends them from now on: %',
            unsent.number, unsent.names
            USING HINT = 'Call these tasks yourself, if they are still to run.';
    END IF;
END
$do$;
