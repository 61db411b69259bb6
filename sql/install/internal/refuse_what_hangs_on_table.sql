-- Longer than 80 lines: one question, of all that can hang on a table.
CREATE OR REPLACE FUNCTION _periodic_schedule.refuse_what_hangs_on_table() RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    theirs CONSTANT oid := to_regclass($id$@beat_schema@.pg_periodic_schedule_replaced$id$);
    row_type CONSTANT oid := (SELECT c.reltype FROM pg_class AS c WHERE c.oid = theirs);
    row_array CONSTANT oid := (SELECT t.typarray FROM pg_type AS t WHERE t.oid = row_type);
    called CONSTANT text := _periodic_schedule.name_of_their_table();
    hanging text;
BEGIN
    SELECT string_agg(DISTINCT x.described, '; ' ORDER BY x.described)
    INTO hanging
    FROM (
        -- Views, rules, SQL-standard functions, policies, foreign keys to it, tables that inherit
        -- from it, and what has its row type.
        SELECT CASE d.classid
            WHEN 'pg_rewrite'::regclass THEN (
                SELECT pg_describe_object('pg_class'::regclass, r.ev_class, 0)
                FROM pg_rewrite AS r WHERE r.oid = d.objid
            )
            ELSE pg_describe_object(d.classid, d.objid, d.objsubid)
        END AS described
        FROM pg_depend AS d
        WHERE d.deptype = 'n' AND (
            d.refclassid = 'pg_class'::regclass AND d.refobjid = theirs
            OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (row_type, row_array)
            OR d.refclassid = 'pg_constraint'::regclass AND d.refobjid IN (
                SELECT k.oid FROM pg_constraint AS k WHERE k.conrelid = theirs
            )
            OR d.refclassid = 'pg_class'::regclass AND d.refobjid IN (
                SELECT i.indexrelid FROM pg_index AS i WHERE i.indrelid = theirs
            )
        )
        AND (d.classid, d.objid) NOT IN (  -- what is its own goes with it
            VALUES ('pg_class'::regclass::oid, theirs)
            UNION ALL
            SELECT 'pg_constraint'::regclass, k.oid FROM pg_constraint AS k
            WHERE k.conrelid = theirs
            UNION ALL
            SELECT 'pg_attrdef'::regclass, f.oid FROM pg_attrdef AS f WHERE f.adrelid = theirs
            UNION ALL
            SELECT 'pg_trigger'::regclass, g.oid FROM pg_trigger AS g WHERE g.tgrelid = theirs
            UNION ALL
            SELECT 'pg_policy'::regclass, y.oid FROM pg_policy AS y WHERE y.polrelid = theirs
            UNION ALL
            SELECT 'pg_rewrite'::regclass, r.oid FROM pg_rewrite AS r WHERE r.ev_class = theirs
        )
        UNION ALL
        SELECT pg_describe_object('pg_rewrite'::regclass, r.oid, 0)
        FROM pg_rewrite AS r WHERE r.ev_class = theirs AND r.ev_enabled <> 'D'
        UNION ALL  -- they would fire no more
        SELECT pg_describe_object('pg_trigger'::regclass, g.oid, 0)
        FROM pg_trigger AS g
        WHERE g.tgrelid = theirs AND NOT g.tgisinternal AND g.tgenabled <> 'D'
        UNION ALL  -- rows that are kept would keep what they refer to
        SELECT pg_describe_object('pg_constraint'::regclass, k.oid, 0)
        FROM pg_constraint AS k
        WHERE k.conrelid = theirs AND k.contype = 'f' AND k.confrelid <> theirs
        UNION ALL
        SELECT format('%s, from which it inherits', h.inhparent::regclass)
        FROM pg_inherits AS h WHERE h.inhrelid = theirs
        UNION ALL
        SELECT pg_describe_object('pg_publication_rel'::regclass, b.oid, 0)
        FROM pg_publication_rel AS b WHERE b.prrelid = theirs
        UNION ALL
        SELECT 'its row-level security'
        FROM pg_class AS c WHERE c.oid = theirs AND c.relrowsecurity
    ) AS x;
    IF hanging IS NOT NULL THEN
        RAISE EXCEPTION 'the existing table pg_periodic_schedule cannot be replaced: others use it'
            USING ERRCODE = 'dependent_objects_still_exist',
            DETAIL = replace(hanging, theirs::regclass::text, called)
                || '. It would stay with the renamed table. Nothing was changed.',
            HINT = 'Drop it first, and make again what is needed afterwards, on ours: '
                'docs/replacing.md. A trigger may be disabled instead.';
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.refuse_what_hangs_on_table() IS
    'Raises SQLSTATE 2BP01 where something would go on with the application''s own table, renamed, '
    'or end with it';
