CREATE OR REPLACE FUNCTION _periodic_schedule.beat_tables() RETURNS regclass[]
LANGUAGE sql STABLE
RETURN ARRAY[
    pg_catalog.to_regclass($id$@beat_schema@.django_celery_beat_periodictask$id$),
    pg_catalog.to_regclass($id$@beat_schema@.django_celery_beat_crontabschedule$id$),
    pg_catalog.to_regclass($id$@beat_schema@.django_celery_beat_intervalschedule$id$),
    pg_catalog.to_regclass($id$@beat_schema@.django_celery_beat_clockedschedule$id$),
    pg_catalog.to_regclass($id$@beat_schema@.django_celery_beat_solarschedule$id$),
    pg_catalog.to_regclass($id$@beat_schema@.django_celery_beat_periodictasks$id$)
];
COMMENT ON FUNCTION _periodic_schedule.beat_tables() IS
    'Beat''s tables as their names find them now, that of the tasks first; NULL where there is '
    'none';
