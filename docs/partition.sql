-- Puts a partitioned table in the place of one of ours: docs/scaling.md says when, and how to call it.
-- It lasts for the session.  Run it as a superuser, whose our schemas are, in one transaction;
-- that holds the table for as long as its rows are copied.  The old table stays, in the schema
-- periodic_schedule_unpartitioned, until you drop that.
CREATE OR REPLACE FUNCTION pg_temp.partition(place regclass, strategy text, bounds text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog  -- so that names are written with their schema
AS $function$
DECLARE
    attic CONSTANT text := 'periodic_schedule_unpartitioned';
    home CONSTANT text := place::text;
    name CONSTANT text := (SELECT c.relname FROM pg_class AS c WHERE c.oid = place);
    owner CONSTANT text := (SELECT quote_ident(pg_get_userbyid(c.relowner)) FROM pg_class AS c WHERE c.oid = place);
    row_type CONSTANT oid := (SELECT c.reltype FROM pg_class AS c WHERE c.oid = place);
    removals text[];
    keys text[];
    dependents text[];
    links text[];
    command text;
BEGIN
    EXECUTE format('LOCK TABLE %s', home);
    -- Functions that return its rows are bound to its row type, keys and triggers to the table itself.
    removals := ARRAY(
        SELECT format('DROP FUNCTION %s', p.oid::regprocedure) FROM pg_proc AS p WHERE p.prorettype = row_type
        UNION ALL
        SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', k.conrelid::regclass, k.conname)
        FROM pg_constraint AS k
        WHERE place IN (k.conrelid, k.confrelid) AND k.contype = 'f' AND k.conparentid = 0
        UNION ALL
        SELECT format('DROP TRIGGER %I ON %s', t.tgname, home)
        FROM pg_trigger AS t WHERE t.tgrelid = place AND NOT t.tgisinternal
    );
    keys := ARRAY(  -- under their own names, which migrations use
        SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', home, k.conname, pg_get_constraintdef(k.oid))
        FROM pg_constraint AS k WHERE k.conrelid = place AND k.contype IN ('p', 'u', 'x')
        UNION ALL
        SELECT pg_get_indexdef(i.indexrelid) FROM pg_index AS i
        WHERE i.indrelid = place AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = i.indexrelid AND k.conrelid = place)
    );
    dependents := ARRAY(
        SELECT c.command FROM (
            SELECT DISTINCT 1 AS step, format('CREATE OR REPLACE VIEW %s AS %s', r.ev_class::regclass, pg_get_viewdef(r.ev_class)) AS command
            FROM pg_depend AS d JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
            WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = place
            UNION ALL
            SELECT s.step, s.command FROM pg_proc AS p CROSS JOIN LATERAL (
                VALUES
                (2, pg_get_functiondef(p.oid)),
                (3, format('ALTER FUNCTION %s OWNER TO %I', p.oid::regprocedure, pg_get_userbyid(p.proowner))),
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
                SELECT '', 'TABLE', home, t.relacl FROM pg_class AS t WHERE t.oid = place
                UNION ALL
                SELECT format(' (%I)', t.attname), 'TABLE', home, t.attacl
                FROM pg_attribute AS t WHERE t.attrelid = place AND NOT t.attisdropped
            ) AS o CROSS JOIN LATERAL aclexplode(o.acl) AS a
        ) AS c ORDER BY c.step
    );
    links := ARRAY(
        SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
        FROM pg_constraint AS k
        WHERE place IN (k.conrelid, k.confrelid) AND k.contype = 'f' AND k.conparentid = 0
        UNION ALL
        SELECT pg_get_triggerdef(t.oid) FROM pg_trigger AS t WHERE t.tgrelid = place AND NOT t.tgisinternal
    );

    FOREACH command IN ARRAY removals || ARRAY[
        format('CREATE SCHEMA IF NOT EXISTS %I', attic),
        format('ALTER TABLE %s SET SCHEMA %I', home, attic),  -- its indexes and their names go with it
        format('CREATE TABLE %s (LIKE %I.%I INCLUDING ALL EXCLUDING INDEXES) PARTITION BY %s', home, attic, name, strategy),
        format('COMMENT ON TABLE %s IS %L', home, obj_description(place, 'pg_class')),
        format('ALTER TABLE %s OWNER TO %s', home, owner)
    ] || keys || ARRAY(
        SELECT s.command FROM unnest(bounds) WITH ORDINALITY AS b (bound, n) CROSS JOIN LATERAL (
            VALUES
            (1, format('CREATE TABLE %s_%s PARTITION OF %s %s', home, b.n, home, b.bound)),
            (2, format('ALTER TABLE %s_%s OWNER TO %s', home, b.n, owner))
        ) AS s (step, command)
        ORDER BY b.n, s.step
    ) || dependents || format('INSERT INTO %s SELECT * FROM %I.%I', home, attic, name) || links
    LOOP
        EXECUTE command;
    END LOOP;
END
$function$;
