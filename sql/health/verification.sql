CREATE TABLE periodic_schedule.verification (x integer);
