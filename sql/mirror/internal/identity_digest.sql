CREATE OR REPLACE FUNCTION _periodic_schedule.identity_digest(
    key bytea, name text, task text, args text, kwargs text, headers text,
    pipeline_id uuid, organization_id text, workflow_id uuid, pipeline_name text,
    identity_source text
) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
-- Each hash is the seed of the next: hash_record_extended() takes four times as long.  The key
-- keeps who reads the mirror from trying out arguments until the hash is the same.
RETURN hashtextextended(encode(sha256(key || int8send(
    hashtextextended(name, hashtextextended(task, hashtextextended(args, hashtextextended(
        kwargs, hashtextextended(
            coalesce(headers, '-'), uuid_hash_extended(pipeline_id, uuid_hash_extended(
                coalesce(workflow_id, '00000000-0000-0000-0000-000000000000'), hashtextextended(
                    organization_id, hashtextextended(
                        pipeline_name, hashtextextended(identity_source, 0)
                    )
                )
            ))
        )
    ))))
)), 'hex'), 0);
COMMENT ON FUNCTION _periodic_schedule.identity_digest(
    bytea, text, text, text, text, text, uuid, text, uuid, text, text
) IS
    'A hash of what a schedule''s identity was read from and of what was read, so that whether one '
    'of them has changed is seen without reading it again; not the same on every machine, nor with '
    'another key';
