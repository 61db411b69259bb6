CREATE SCHEMA IF NOT EXISTS periodic_schedule;  -- alembic/env.py creates it first, for its version table
REVOKE ALL ON SCHEMA periodic_schedule FROM PUBLIC;
COMMENT ON SCHEMA periodic_schedule IS
    'pg_periodic_schedule: keeps the mirror of django-celery-beat''s schedules in sync and computes next runs';
