-- The way back begins here: Beat fires again what Postgres owned, and nothing of ours is left on
-- tables that stay.  Then everything is dropped, in the reverse order of its creation
-- (assemble.py).
SELECT count(*) AS undone FROM periodic_schedule.detach();
