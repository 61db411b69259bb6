"""Standbys, promotion, old primaries that come back, restores: real servers, a real scheduler."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from brokers import Beat, Broker, wait_for
from conftest import DISK, ENGINE, NEEDS_PYTHON, ROOT, SERVER_BIN, insert_interval, insert_task
from port_for import get_port
from servers import Server, Servers, as_postgres, base_backup
from ticking import adopt

Session = psycopg.Connection[Any]
KINDS = ("reader", "ticker", "operator")
FIRED = "SELECT count(*) FROM periodic_schedule.firing"
TIMELINE = "SELECT timeline FROM periodic_schedule.this_database()"
IS_COPY = "SELECT is_copy FROM periodic_schedule.this_database()"


@pytest.fixture(scope="module")
def servers(server: Any) -> Iterator[Servers]:
    """Each with roles of all kinds, and an owned schedule a second."""
    with tempfile.TemporaryDirectory(dir=DISK) as directory:
        made = Servers(server, Path(directory))
        first = made()
        first.start()
        with first.session() as session:
            insert_task(session, "each second", interval_id=insert_interval(session, 1))
            adopt(session)
            for kind in KINDS:
                role = f"some_{kind}"
                session.execute(f"CREATE ROLE {role} LOGIN")
                session.execute("SELECT periodic_schedule.grant_access(%s, %s)", [kind, role])
        first.stop()
        made.begin_with(first)
        yield made
        made.close()


# -- A standby

ARGUMENTS = {
    "cron_string": "'0 3 * * *'",
    "timezone": "'UTC'",
    "kind": "'reader'",
    "pipeline_id": "(SELECT pipeline_id FROM pg_periodic_schedule LIMIT 1)",
}
BY_TYPE = {
    "uuid": "gen_random_uuid()",
    "text": "'de'",
    "name": "'some_reader'",
    "integer": "2",
    "interval": "'1 minute'",
    "timestamp with time zone": "now()",
    "regclass": "'pipeline'",
    "uuid[]": "'{}'",
    "boolean": "true",
}


def calls(session: Session) -> list[tuple[str, str, bool]]:
    """Each public function that this role may call: its name, a call, and whether it writes."""
    rows = session.execute(
        "SELECT p.proname, p.provolatile = 'v', coalesce(array_agg(format_type(a.type, NULL)"
        "  ORDER BY a.n) FILTER (WHERE a.n IS NOT NULL), '{}'),"
        " coalesce(array_agg(a.name ORDER BY a.n) FILTER (WHERE a.n IS NOT NULL), '{}')"
        " FROM pg_proc AS p LEFT JOIN LATERAL"
        "  unnest(p.proargtypes::oid[], p.proargnames[:p.pronargs])"
        "  WITH ORDINALITY AS a (type, name, n)"
        "  ON a.n <= p.pronargs - p.pronargdefaults"
        " WHERE p.pronamespace = 'periodic_schedule'::regnamespace"
        " AND has_function_privilege(p.oid, 'EXECUTE')"
        " GROUP BY p.oid, p.proname, p.provolatile ORDER BY 1"
    ).fetchall()
    found = []
    for name, writes, types, names in rows:
        given = [
            ARGUMENTS.get(argument) or BY_TYPE[kind]
            for argument, kind in zip(names, types, strict=True)
        ]
        call = f"SELECT * FROM periodic_schedule.{name}({', '.join(given)})"
        found.append((name, call, writes))
    return found


@pytest.mark.parametrize("user", ["postgres", *(f"some_{kind}" for kind in KINDS)])
def test_a_standby_can_be_looked_at_and_says_what_it_cannot_do(standby: Server, user: str) -> None:
    with standby.session(user) as session:
        done = calls(session)
        for name, call, writes in done:
            if ENGINE == "sql" and NEEDS_PYTHON.search(call):
                continue
            if not writes:
                session.execute(call.encode()).fetchall()
                continue
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction) as error:
                session.execute(call.encode())
            diag = error.value.diag
            assert (diag.message_primary, diag.message_hint) == (
                f"{name}() writes, which cannot be done here",
                "Call it on the primary.",
            )
        assert done
        views = session.execute(
            "SELECT c.oid::regclass::text FROM pg_class AS c WHERE c.relkind IN ('r', 'v')"
            " AND (c.relnamespace = 'periodic_schedule'::regnamespace"
            "  OR c.relname = 'pg_periodic_schedule')"
            " AND has_table_privilege(c.oid, 'SELECT')"
        ).fetchall()
        assert len(views) > 10 or user not in ("postgres", "some_reader")
        for (view,) in views:
            session.execute(f"SELECT * FROM {view}".encode()).fetchall()
        if user in ("postgres", "some_reader"):
            problems = {row[0] for row in session.execute("SELECT * FROM periodic_schedule.health")}
            assert problems <= {"not_ticked", "superuser_functions"}


@pytest.fixture(scope="module")
def standby(servers: Servers) -> Server:
    made = servers()
    made.configure("standby.signal")
    made.start()
    return made


# -- The scheduler


@pytest.fixture
def beats(broker: Broker, tmp_path: Path) -> Iterator[Any]:
    """Starts the scheduler with these servers as its hosts."""
    started: list[Beat] = []

    def start(*hosts: Server) -> Beat:
        ports = ",".join(str(server.port) for server in hosts)
        names = ",".join(["127.0.0.1"] * len(hosts))
        url = f"postgresql://postgres@/{hosts[0].dbname}?host={names}&port={ports}"
        started.append(Beat(url, broker, tmp_path))
        return started[-1]

    yield start
    for beat in started:
        beat.kill()
        print(beat.log)  # shown where a test fails


def test_a_scheduler_follows_a_promotion_and_no_old_primary(servers: Servers, beats: Any) -> None:
    old, older, new = servers(), servers(), servers()
    old.start()
    new.follow(old)
    new.start()
    beat = beats(old, older, new)
    wait_for(lambda: new.ask(FIRED) > 1)  # sent by the primary, and streamed
    old.stop("immediate")
    new.promote()
    promoted_at = time.monotonic()
    before = new.ask(FIRED)
    wait_for(lambda: new.ask(FIRED) > before, 10)
    assert time.monotonic() - promoted_at < 10
    assert new.ask(TIMELINE) == 2

    # It comes back, and is the first host again, before one more of its kind.
    old.start()
    older.start()
    left_behind = [old.ask(FIRED), older.ask(FIRED)]
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'pg_periodic_schedule scheduler'"
    )
    assert new.ask(cut)
    for server in (old, older):
        what = f"nothing is fired: 127.0.0.1:{server.port} is on timeline 1, and timeline 2"
        beat.wait_for_log(what)
    again = new.ask(FIRED)
    wait_for(lambda: new.ask(FIRED) > again, 10)
    new.stop()
    time.sleep(2)
    new.start()
    last = new.ask(FIRED)
    wait_for(lambda: new.ask(FIRED) > last, 10)
    assert [old.ask(FIRED), older.ask(FIRED)] == left_behind
    assert old.ask(TIMELINE) == 1  # nothing in the old one itself could tell
    for server in (old, older, new):
        server.stop()
    assert beat.log.count("is on timeline 1") <= 4  # once a minute, each
    assert "Traceback" not in beat.log


def test_a_scheduler_on_a_standby_waits_for_its_promotion(servers: Servers, beats: Any) -> None:
    server = servers()
    server.configure("standby.signal")
    server.start()
    beat = beats(server)
    beat.wait_for_log(f"127.0.0.1:{server.port} is read only: waiting for the primary")
    server.promote()
    before = server.ask(FIRED)
    wait_for(lambda: server.ask(FIRED) > before, 10)
    beat.stop()
    server.stop()


# -- Restores


def test_a_point_in_time_restore_in_place_goes_on_by_itself(servers: Servers) -> None:
    archive = servers.directory / "archive"
    as_postgres("mkdir", archive)
    server = servers()
    server.configure(archive_mode="on", archive_command=f"cp %p {archive}/%f")
    server.start()
    backup = servers.directory / "backup"
    base_backup(server.port, backup)
    server.ask("SELECT count(*) FROM periodic_schedule.tick()")
    fired = server.ask(FIRED)
    server.ask("SELECT pg_create_restore_point('before the accident')")
    with server.session() as session:
        session.execute("DELETE FROM django_celery_beat_periodictask")
    server.ask("SELECT pg_switch_wal()")
    server.stop()
    as_postgres("rm", "-r", server.data)
    as_postgres("mv", backup, server.data)
    server.configure(
        "recovery.signal",
        restore_command=f"cp {archive}/%f %p",
        recovery_target_name="before the accident",
        recovery_target_action="promote",
    )
    server.start()
    wait_for(lambda: not server.ask("SELECT pg_is_in_recovery()"))
    assert (server.ask(IS_COPY), server.ask(TIMELINE)) == (False, 2)
    assert server.ask(FIRED) == fired > 0
    assert (
        server.ask(
            "SELECT count(*) FROM _periodic_schedule.tick_at(now() + interval '1 minute', 9)"
        )
        > 0
    )
    server.stop()


def test_after_pg_upgrade_the_statement_of_the_page_goes_on(servers: Servers) -> None:
    (statement,) = {
        line
        for line in (ROOT / "docs/upgrade.md").read_text().splitlines()
        if "confirm_identity()" in line and line.endswith(";")
    }
    old = servers()
    new = servers.directory / "upgraded"
    as_postgres(
        *(SERVER_BIN / "initdb", "-D", new, "-U", "postgres", "-A", "trust"),
        *("-E", "UTF8", "--locale=C.UTF-8", "--no-sync"),
    )
    as_postgres(
        *("env", "-C", servers.directory, SERVER_BIN / "pg_upgrade", "--link", "-U", "postgres"),
        *("-b", SERVER_BIN, "-B", SERVER_BIN, "-d", old.data, "-D", new, "-s", servers.directory),
        *("-p", str(get_port(None)), "-P", str(get_port(None))),
    )
    as_postgres("rm", "-r", old.data)
    as_postgres("mv", new, old.data)
    old.start()
    tick = "SELECT count(*) FROM _periodic_schedule.tick_at(now() + interval '1 minute', 9)"
    is_copy = "SELECT count(*) FROM periodic_schedule.health WHERE problem = 'is_copy'"
    assert (old.ask(is_copy), old.ask(tick)) == (1, 0)
    assert "confirmed" in old.ask(statement)
    assert old.ask(is_copy) == 0
    assert old.ask(tick) > 0
    old.stop()
