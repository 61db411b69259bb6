SELECT pg_catalog.count(*) AS tasks_mirrored FROM periodic_schedule.reconcile();
