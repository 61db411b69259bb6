CREATE OR REPLACE FUNCTION _periodic_schedule.say_not_ended(creators text, again text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN format(
    '%s has created schedules and not ended, so those are fired as was said before: commit it, or '
    'roll it back, then call %s again', creators, again
);
COMMENT ON FUNCTION _periodic_schedule.say_not_ended(text, text) IS
    'What adopt() and release(), again, say of what set_operators_word() returns';
