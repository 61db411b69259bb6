-- Version and variant are set bit by bit (Postgres numbers the bits of a byte from its right): to
-- put them into the digits as text takes as long as the digest.
CREATE OR REPLACE FUNCTION _periodic_schedule.firing_id(
    pipeline_id uuid, scheduled_for timestamptz, incarnation integer DEFAULT 0
) RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN encode(
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(
        substring(
            sha256(
                uuid_send(pipeline_id)
                || int8send((extract(epoch FROM scheduled_for) * 1000000)::bigint)
                || CASE WHEN incarnation > 0 THEN int4send(incarnation) ELSE '' END
            ) FROM 1 FOR 16
        ),
        55, 1), 54, 0), 53, 0), 52, 0), 71, 1), 70, 0), 69, 0), 68, 0),
    'hex'
)::uuid;
COMMENT ON FUNCTION _periodic_schedule.firing_id(uuid, timestamptz, integer) IS
    'The UUID of an occurrence, version 8: SHA-256 of pipeline_id, the microseconds since '
    '1970 and, where it is not 0, incarnation (RFC 9562, appendix B.2)';
