"""Is anything alive? Whoever calls tick() is in the view ticker; health says no_ticker."""

import re
from collections.abc import Callable

from brokers import Beat, wait_for
from conftest import ROOT, insert_far_crontab, insert_interval, insert_task
from ticking import Session, adopt, due_task, take, tick

from pg_periodic_schedule import __version__

TICKERS = "SELECT name, version, is_alive FROM periodic_schedule.ticker ORDER BY name"
HEALTH = "SELECT problem, detail FROM periodic_schedule.health"


def health(db: Session) -> dict[str, str]:
    return dict(db.execute(HEALTH).fetchall())


def write_unseen(db: Session, statement: str) -> None:
    with db.transaction():
        db.execute("SET LOCAL session_replication_role = replica")
        db.execute(statement.encode())


def long_ago(db: Session) -> None:
    db.execute("UPDATE _periodic_schedule.home SET confirmed_at = now() - interval '1 hour'")
    write_unseen(db, "UPDATE pg_periodic_schedule SET updated_at = now() - interval '1 hour'")


def adopted_long_ago(db: Session) -> None:
    """A schedule of Postgres's, with nothing to do for months."""
    insert_task(db, "yearly", crontab_id=insert_far_crontab(db))
    adopt(db)
    long_ago(db)


def tick_as(session: Session, name: str, now: str = "clock_timestamp()") -> None:
    session.execute(f"SELECT _periodic_schedule.note_tick({now}, %s, NULL)", [name])


def test_a_night_without_a_ticker_is_a_problem_though_nothing_is_due(db: Session) -> None:
    adopted_long_ago(db)
    assert health(db) == {"no_ticker": "nobody has called tick() here yet"}
    db.execute("SET application_name = 'pg_cron'")
    assert tick(db) == []  # from any session
    assert db.execute(TICKERS).fetchall() == [("pg_cron", None, True)]
    hosts = db.execute("SELECT host FROM periodic_schedule.ticker").fetchall()
    assert hosts == [(db.info.host,)]
    assert health(db) == {}
    db.execute("UPDATE _periodic_schedule.signed_in SET last_tick_at = now() - interval '3 min'")
    assert health(db)["no_ticker"].startswith("nobody calls tick(): the last one was pg_cron (")
    db.execute("UPDATE pg_periodic_schedule SET enabled = false")  # undone: only Beat's row says it
    assert "no_ticker" in health(db)
    db.execute("UPDATE django_celery_beat_periodictask SET enabled = false")
    assert "no_ticker" not in health(db)  # nothing would be fired


def test_a_moment_without_a_ticker_is_none(db: Session) -> None:
    """Adopt, then start the scheduler."""
    insert_task(db, "yearly", crontab_id=insert_far_crontab(db))
    adopt(db)
    assert health(db) == {}


def test_where_beat_fires_all_nobody_need_tick(db: Session) -> None:
    insert_task(db, "yearly", crontab_id=insert_far_crontab(db))
    long_ago(db)
    assert health(db) == {}


def test_a_copy_shows_no_ticker_of_the_original_and_needs_none(db: Session) -> None:
    adopted_long_ago(db)
    tick(db)
    # What a restored dump or a clone has: rows of another place.
    db.execute("UPDATE _periodic_schedule.home SET place = '1/2';"
               "UPDATE _periodic_schedule.signed_in SET place = '1/2'")  # fmt: skip
    assert db.execute(TICKERS).fetchall() == []
    assert list(health(db)) == ["is_copy"]
    assert tick(db) == []  # does nothing, and says so
    assert db.execute(TICKERS).fetchall() == []
    db.execute("SELECT periodic_schedule.confirm_identity()")
    assert health(db) == {}  # a moment to start one
    long_ago(db)
    assert health(db) == {"no_ticker": "nobody has called tick() here yet"}


def test_a_last_tick_in_the_future_is_no_sign_of_life(db: Session) -> None:
    adopted_long_ago(db)
    tick_as(db, "cron")
    ahead = "UPDATE _periodic_schedule.signed_in SET last_tick_at = now() + interval '1 hour'"
    db.execute(ahead)
    assert set(health(db)) == {"no_ticker", "future_times"}
    repaired = db.execute("SELECT what FROM periodic_schedule.repair_times()").fetchall()
    assert repaired == [("signed_in.last_tick_at",)]
    assert health(db) == {}
    db.execute(ahead)
    db.execute("SET periodic_schedule.ticked = ''")  # ten seconds later
    tick_as(db, "cron")  # which lives, and so sets it right itself
    assert health(db) == {}


def test_who_ticks_seldom_may_be_silent_for_longer(db: Session) -> None:
    """Such as a cron of five minutes; but not for ever."""
    for name, every in (("minutes", 5), ("days", 1440)):
        for back in (every + 4, 4):
            tick_as(db, name, f"now() - interval '{back} min'")
    tick_as(db, "seconds", "now() - interval '3 min'")
    assert db.execute(TICKERS).fetchall() == [
        ("days", None, True),
        ("minutes", None, True),
        ("seconds", None, False),
    ]
    db.execute("UPDATE _periodic_schedule.signed_in"
               " SET last_tick_at = last_tick_at - interval '7 min'")  # fmt: skip
    assert [alive for *_, alive in db.execute(TICKERS)] == [False] * 3


def test_a_ticker_writes_at_most_every_ten_seconds_and_in_its_place(
    db: Session, connect: Callable[..., Session]
) -> None:
    with connect() as old:  # its snapshot keeps all versions of the row
        old.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        old.execute("SELECT count(*) FROM _periodic_schedule.signed_in")
        for _ in range(20):
            tick(db)
        for second in range(0, 400):  # of which 40 are written
            tick_as(db, "w", f"'2026-11-27 12:00+00'::timestamptz + interval '{second} s'")
        db.execute("SELECT pg_stat_force_next_flush()")
        inserted, updated, hot = db.execute(
            "SELECT n_tup_ins, n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables"
            " WHERE relid = '_periodic_schedule.signed_in'::regclass"
        ).fetchall()[0]
    assert inserted == 2
    assert updated <= 40
    assert hot == updated  # no index knows of it


def test_tickers_of_one_name_do_not_wait_for_each_other(
    db: Session, connect: Callable[..., Session]
) -> None:
    tick_as(db, "w", "now() - interval '1 min'")
    first, second = connect(), connect(autocommit=True)
    second.execute("SET lock_timeout = '20ms'")
    for session in (first, second):
        session.execute("SELECT periodic_schedule.tick(worker => 'w')")
    first.commit()
    assert db.execute(TICKERS).fetchall() == [("w", None, True)]


def test_what_was_sent_last_is_from_the_ledger(db: Session) -> None:
    due_task(db)
    for _ in range(2):
        db.execute("SELECT periodic_schedule.tick(worker => 'w', version => '1')")
        for key, token, *_ in take(db):
            db.execute("SELECT periodic_schedule.finish(%s, %s)", [key, token])
        db.execute("UPDATE _periodic_schedule.signed_in"
                   " SET last_tick_at = last_tick_at - interval '20 s';"
                   "SET periodic_schedule.ticked = ''")  # fmt: skip
    assert db.execute(
        "SELECT t.version, t.last_sent_at = f.ended_at FROM periodic_schedule.ticker AS t,"
        " periodic_schedule.firing AS f WHERE f.state = 'finished'"
    ).fetchall() == [("1", True)]


def test_schedulers_sign_in(db: Session, start: Callable[..., Beat]) -> None:
    insert_task(db, "t", interval_id=insert_interval(db, 1))
    adopt(db)
    beats = [start(), start()]
    rows = wait_for(lambda: len(found := db.execute(TICKERS).fetchall()) == 2 and found)
    pids = {str(beat.process.pid) for beat in beats}
    assert {name.rpartition(":")[2] for name, *_ in rows} == pids
    assert {row[1:] for row in rows} == {(__version__, True)}
    metrics = dict(db.execute("SELECT name, value FROM periodic_schedule.metrics").fetchall())
    assert metrics["periodic_schedule_tickers"] == 2
    assert 0 <= metrics["periodic_schedule_last_tick_seconds"] < 60


def test_prune_forgets_old_tickers(db: Session) -> None:
    tick_as(db, "old", "now() - interval '8 days'")
    tick_as(db, "new", "now() - interval '6 days'")
    assert db.execute("SELECT periodic_schedule.prune()").fetchall() == [(0,)]
    assert [name for name, *_ in db.execute(TICKERS)] == ["new"]


def test_a_name_of_any_length_does_not_fail_a_tick(db: Session) -> None:
    db.execute("SELECT periodic_schedule.tick(worker => repeat('w', 10000))")
    db.execute("SELECT periodic_schedule.tick()")
    assert {name for name, *_ in db.execute(TICKERS)} == {"w" * 200, "unnamed"}


def test_each_problem_says_what_to_do(db: Session) -> None:
    comment = db.execute(
        "SELECT col_description('periodic_schedule.health'::regclass, 1)"
    ).fetchall()[0][0]
    text = re.sub(r"\([^()]*(\(\)[^()]*)*\)", "", comment.partition(": ")[2])
    text = text.replace("not_checked", ", not_checked").replace("and those of setup_problems:", "")
    problems = [name.strip() for name in re.split(r"[,;]", text) if name.strip()]
    assert len(problems) > 25
    for problem in problems:
        (said,) = db.execute("SELECT _periodic_schedule.advice_on(%s)", [problem]).fetchall()[0]
        assert said, problem
        assert re.fullmatch(r"[A-Z].*\.", said), problem
        assert ". " not in said.replace("periodic_schedule.", "")
    source = (ROOT / "sql/health/internal/advice_on.sql").read_text()
    assert sorted(re.findall(r"WHEN '(\w+)'", source)) == sorted(problems)


def test_health_shows_it(db: Session) -> None:
    adopted_long_ago(db)
    rows = db.execute("SELECT problem, what_to_do FROM periodic_schedule.health").fetchall()
    assert [problem for problem, _ in rows] == ["no_ticker"]
    assert rows[0][1].startswith("Start a scheduler")
