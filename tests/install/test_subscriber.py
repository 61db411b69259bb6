"""A logical subscriber of Beat's tables, on which we are installed: real replication."""

import time
from typing import Any

import psycopg
from conftest import alembic, beat_server, drift, give, insert_crontab, insert_task, mirror, url_of

Session = psycopg.Connection[Any]
TASKS = "django_celery_beat_periodictask"
MARK = "django_celery_beat_periodictasks"
KINDS = ("crontab", "interval", "clocked", "solar")
TABLES = ", ".join((TASKS, MARK, *(f"django_celery_beat_{kind}schedule" for kind in KINDS)))
# All tables at a time, and tried again soon.
OPTIONS = (
    "-c wal_level=logical -c max_worker_processes=20 -c max_logical_replication_workers=16"
    " -c max_sync_workers_per_subscription=6 -c wal_retrieve_retry_interval=100ms"
)


def save(db: Session, statement: str) -> None:
    """A write by Django, which moves the mark by a signal."""
    db.execute(statement)
    db.execute(
        f"INSERT INTO {MARK} VALUES (1, now())"
        " ON CONFLICT (ident) DO UPDATE SET last_update = now()"
    )


def subscribe(db: Session, publisher: Session) -> None:
    name = db.info.dbname
    publisher.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [name])
    place = publisher.info
    db.execute(
        f"CREATE SUBSCRIPTION {name} CONNECTION 'host={place.host} port={place.port}"
        f" user={place.user} dbname={place.dbname}' PUBLICATION beat WITH (create_slot = false)"
    )


def wait_for(db: Session, query: str, *values: Any) -> None:
    deadline = time.monotonic() + 30
    while not db.execute(query, list(values)).fetchall():
        assert time.monotonic() < deadline, query
        time.sleep(0.05)


def wait_for_first_copy(db: Session) -> None:
    wait_for(db, "SELECT FROM pg_subscription_rel HAVING bool_and(srsubstate = 'r')")


def marks(db: Session) -> list[Any]:
    return db.execute(f"SELECT ident FROM {MARK}").fetchall()


def test_the_first_copy_ends_and_reconcile_mirrors_it() -> None:
    with beat_server(OPTIONS) as (publisher, _):
        place = publisher.info
        subscribers = []
        for name in ("used", "unused"):
            publisher.execute(f"CREATE DATABASE {name} TEMPLATE postgres")
            subscriber = psycopg.connect(f"{place.dsn} dbname={name}", autocommit=True)
            give(subscriber)
            alembic("upgrade", "head", url=url_of(subscriber.info))
            subscribers.append(subscriber)
        publisher.execute(f"CREATE PUBLICATION beat FOR TABLE {TABLES}")
        crontab = insert_crontab(publisher, "0 3 * * *")
        insert_task(publisher, "theirs", crontab_id=crontab)
        save(publisher, f"UPDATE {TASKS} SET description = 'saved'")

        # One had tasks of its own, and was emptied: Beat, if there is one, has to hear of that.
        used, unused = subscribers
        insert_task(used, "ours", crontab_id=insert_crontab(used, "0 4 * * *"))
        used.execute(f"TRUNCATE {TABLES}")
        assert (marks(used), marks(unused)) == ([(1,)], [])
        for subscriber in subscribers:
            subscribe(subscriber, publisher)
        for subscriber in subscribers:
            wait_for_first_copy(subscriber)
            assert marks(subscriber) == [(1,)]
            subscriber.execute("SELECT * FROM periodic_schedule.reconcile()")
            assert mirror(subscriber, "cron_string", "theirs") == "0 3 * * *"
            assert drift(subscriber) == []

        # And it goes on, also where the publisher's mark is a new row, and the subscriber has one.
        publisher.execute(f"DELETE FROM {MARK}")
        for subscriber in subscribers:
            wait_for(subscriber, f"SELECT FROM {MARK} HAVING count(*) = 0")
            insert_task(subscriber, "of its own", id=1000, interval_id=None)
            assert marks(subscriber) == [(1,)]
        save(publisher, f"UPDATE {TASKS} SET name = 'renamed'")
        save(publisher, f"UPDATE {TASKS} SET enabled = false")
        for subscriber in subscribers:
            wait_for(subscriber, f"SELECT FROM {TASKS} WHERE name = 'renamed' AND NOT enabled")
            subscriber.execute("SELECT * FROM periodic_schedule.reconcile()")
            assert mirror(subscriber, "enabled", "renamed") is False
            assert drift(subscriber) == []
            # A restore with --disable-triggers ends so.
            problems = "SELECT detail FROM periodic_schedule.health WHERE problem = 'triggers'"
            assert subscriber.execute(problems).fetchall() == []
            subscriber.execute(f"ALTER TABLE {MARK} ENABLE TRIGGER ALL")
            assert "not always" in subscriber.execute(problems).fetchall()[0][0]
            subscriber.execute("SELECT * FROM periodic_schedule.attach()")
            assert subscriber.execute(problems).fetchall() == []
            subscriber.close()
