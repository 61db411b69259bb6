-- An application may have created pg_periodic_schedule already.  Then it is taken over: its rows
-- are kept, and what is missing is added (mirror/pg_periodic_schedule.sql).

INSERT INTO _periodic_schedule.installation (beat_schema, columns_before)
SELECT (parse_ident($id$@beat_schema@$id$))[1], (
    SELECT array_agg(a.attname ORDER BY a.attnum)
    FROM pg_attribute AS a
    WHERE a.attrelid = to_regclass($id$@beat_schema@.pg_periodic_schedule$id$)
      AND a.attnum > 0 AND NOT a.attisdropped
);

DO $do$
DECLARE
    place CONSTANT regclass := to_regclass($id$@beat_schema@.pg_periodic_schedule$id$);
    unfit text;
BEGIN
    IF place IS NULL THEN
        RETURN;
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_index AS i
        JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = place
          AND i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL
          AND a.attname = 'pipeline_id' AND a.atttypid = 'uuid'::regtype
    ) THEN
        RAISE EXCEPTION
            'the existing table pg_periodic_schedule has no unique pipeline_id of type uuid'
            USING ERRCODE = 'invalid_table_definition',
            HINT = 'ALTER TABLE … ADD PRIMARY KEY (pipeline_id), or rename the table.';
    END IF;
    SELECT string_agg(
        format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum
    )
    INTO unfit
    FROM pg_attribute AS a
    LEFT JOIN (
        VALUES
        ('pipeline_id', '{uuid}'::regtype[]),
        ('organization_id', '{text, varchar}'),
        ('workflow_id', '{uuid}'),
        ('pipeline_name', '{text, varchar}'),
        ('cron_string', '{text, varchar}'),
        ('enabled', '{boolean}'),
        ('last_run_at', '{timestamptz}'),
        ('next_run_at', '{timestamptz}'),
        ('created_at', '{timestamptz}'),
        ('updated_at', '{timestamptz}'),
        ('pg_owned', '{boolean}')
    ) AS ours (column_name, types) ON ours.column_name = a.attname
    WHERE a.attrelid = place AND a.attnum > 0 AND NOT a.attisdropped
      AND CASE
          WHEN ours.column_name IS NULL
              THEN a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
          ELSE a.atttypid <> ALL (ours.types) OR a.attgenerated <> ''
      END;
    IF unfit IS NOT NULL THEN
        RAISE EXCEPTION
            'the existing table pg_periodic_schedule has columns that cannot be mirrored into: %',
            unfit
            USING ERRCODE = 'invalid_table_definition',
            HINT = 'Change their types to those of README, "Install it in your database", '
                'and give columns of your own a default.';
    END IF;
END
$do$;
