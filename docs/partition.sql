-- Puts a ledger in partitions, one a week of scheduled_for, in the place of
-- periodic_schedule.firing: docs/scaling.md says when, and how to call it.  It lasts for the session.
-- Run it as a superuser, whose our schemas are, in one transaction; that holds the table for as long
-- as its rows are copied.  The old table stays, in the schema periodic_schedule_unpartitioned, until
-- you drop that.
CREATE OR REPLACE FUNCTION pg_temp.partition_ledger(weeks timestamptz[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog  -- so that names are written with their schema
AS $function$
DECLARE
    ledger CONSTANT regclass := 'periodic_schedule.firing';
    owner CONSTANT regrole := (SELECT c.relowner FROM pg_class AS c WHERE c.oid = ledger);
    row_type CONSTANT oid := (SELECT c.reltype FROM pg_class AS c WHERE c.oid = ledger);
    removals text[];
    keys text[];
    dependents text[];
    command text;
BEGIN
    LOCK TABLE periodic_schedule.firing;
    -- Functions that return its rows are bound to its row type.
    removals := ARRAY(
        SELECT format('DROP FUNCTION %s', p.oid::regprocedure) FROM pg_proc AS p WHERE p.prorettype = row_type
    );
    keys := ARRAY(  -- under their own names, which migrations use
        SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', ledger, k.conname, pg_get_constraintdef(k.oid))
        FROM pg_constraint AS k WHERE k.conrelid = ledger AND k.contype = 'p'
        UNION ALL
        -- A unique key must contain scheduled_for; the id follows from the primary key.
        SELECT replace(pg_get_indexdef(i.indexrelid), 'CREATE UNIQUE INDEX', 'CREATE INDEX')
        FROM pg_index AS i WHERE i.indrelid = ledger AND NOT i.indisprimary
    );
    dependents := ARRAY(
        SELECT c.command FROM (
            SELECT DISTINCT 1 AS step, format('CREATE OR REPLACE VIEW %s AS %s', r.ev_class::regclass, pg_get_viewdef(r.ev_class)) AS command
            FROM pg_depend AS d JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
            WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = ledger
            UNION ALL
            SELECT s.step, s.command FROM pg_proc AS p CROSS JOIN LATERAL (
                VALUES
                (2, pg_get_functiondef(p.oid)),
                (3, format('ALTER FUNCTION %s OWNER TO %s', p.oid::regprocedure, p.proowner::regrole)),
                (3, format('COMMENT ON FUNCTION %s IS %L', p.oid::regprocedure, obj_description(p.oid, 'pg_proc'))),
                (3, format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', p.oid::regprocedure))
            ) AS s (step, command)
            WHERE p.prorettype = row_type
            UNION ALL
            SELECT 4, format('GRANT %s%s ON %s %s TO %s%s', a.privilege_type, o.columns, o.kind, o.object,
                CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END,
                CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
            FROM (
                SELECT '' AS columns, 'FUNCTION' AS kind, p.oid::regprocedure::text AS object, p.proacl AS acl
                FROM pg_proc AS p WHERE p.prorettype = row_type
                UNION ALL
                SELECT '', 'TABLE', ledger::text, t.relacl FROM pg_class AS t WHERE t.oid = ledger
                UNION ALL
                SELECT format(' (%I)', t.attname), 'TABLE', ledger::text, t.attacl
                FROM pg_attribute AS t WHERE t.attrelid = ledger AND NOT t.attisdropped
            ) AS o CROSS JOIN LATERAL aclexplode(o.acl) AS a
        ) AS c ORDER BY c.step
    );

    FOREACH command IN ARRAY removals || ARRAY[
        'CREATE SCHEMA IF NOT EXISTS periodic_schedule_unpartitioned',
        -- Its indexes and their names go with it.
        'ALTER TABLE periodic_schedule.firing SET SCHEMA periodic_schedule_unpartitioned',
        'CREATE TABLE periodic_schedule.firing (LIKE periodic_schedule_unpartitioned.firing '
            'INCLUDING ALL EXCLUDING INDEXES) PARTITION BY RANGE (scheduled_for)',
        format('COMMENT ON TABLE periodic_schedule.firing IS %L', obj_description(ledger, 'pg_class')),
        format('ALTER TABLE periodic_schedule.firing OWNER TO %s', owner)
    ] || keys || ARRAY(
        SELECT s.command FROM (
            SELECT
                format('periodic_schedule.firing_%s', to_char(w AT TIME ZONE 'UTC', 'YYYY_MM_DD')) AS name,
                format('FOR VALUES FROM (%L) TO (%L)', w, w + interval '7 days') AS bounds
            FROM unnest(weeks) AS w
            UNION ALL
            SELECT 'periodic_schedule.firing_default', 'DEFAULT'
        ) AS p CROSS JOIN LATERAL (
            VALUES
            (1, format('CREATE TABLE %s PARTITION OF periodic_schedule.firing %s', p.name, p.bounds)),
            (2, format('ALTER TABLE %s OWNER TO %s', p.name, owner))
        ) AS s (step, command)
        ORDER BY p.name, s.step
    ) || dependents
    || 'INSERT INTO periodic_schedule.firing SELECT * FROM periodic_schedule_unpartitioned.firing'::text
    LOOP
        EXECUTE command;
    END LOOP;
END
$function$;
