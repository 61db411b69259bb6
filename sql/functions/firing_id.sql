CREATE OR REPLACE FUNCTION periodic_schedule.firing_id(pipeline_id uuid, scheduled_for timestamptz) RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN overlay(overlay(
    left(encode(sha256(
        uuid_send(pipeline_id) || int8send((extract(epoch FROM scheduled_for) * 1000000)::bigint)
    ), 'hex'), 32) PLACING '8' FROM 13) PLACING '8' FROM 17)::uuid;
COMMENT ON FUNCTION periodic_schedule.firing_id(uuid, timestamptz) IS
    'The UUID of an occurrence, version 8: SHA-256 of pipeline_id and the microseconds since 1970 (RFC 9562, appendix B.2)';
