"""pg-periodic-schedule and manage.py periodic_schedule, as a user sees them: docs/command.md."""

import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
import warm
from conftest import (
    APPLICATION,
    BIN,
    ENGINE,
    OLD_STACK,
    PLACE,
    ROOT,
    SAMPLE,
    insert_crontab,
    insert_task,
    mirror,
    url_of,
)
from databases import client, ours, schema_of
from poolers import LEAKED, PgBouncer

from pg_periodic_schedule import __version__
from pg_periodic_schedule.command import run
from pg_periodic_schedule.command.places import Urls

Session = psycopg.Connection[Any]
OURS = "from pg_periodic_schedule.cli import main; main()"
OK = "0 problems, 0 of drift, 0 pending"
AWAY = "postgresql://app:secret@127.0.0.1:1/app"


class Said(NamedTuple):
    status: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """In this process; on: the database."""

    def call(*arguments: str, on: Session | str | None = None) -> Said:
        if on is not None:
            monkeypatch.setenv("DATABASE_URL", on if isinstance(on, str) else url_of(on.info))
        status = run.run("pg-periodic-schedule", Urls(), arguments)
        captured = capsys.readouterr()
        assert "\x1b" not in captured.out + captured.err
        return Said(status, captured.out, captured.err)

    return call


def process(
    *arguments: str, on: Session | str, python: Path = BIN, **options: Any
) -> subprocess.Popen[str]:
    """In one of its own, of one venv or the other."""
    url = on if isinstance(on, str) else url_of(on.info)
    return subprocess.Popen(
        [python / "python", "-c", OURS, *arguments],
        env={**os.environ, "DATABASE_URL": url, **options.pop("env", {})},
        text=True,
        preexec_fn=heed_ctrl_c,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **options},
    )


def heed_ctrl_c() -> None:
    """Also where the tests run in the background of a shell, which ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def ended(started: subprocess.Popen[str]) -> tuple[int, str]:
    said = started.communicate(timeout=60)[0]
    return started.returncode, said


def manage(db: Session, *arguments: str, **env: str) -> tuple[int, str]:
    env = {
        "DATABASE_URL": url_of(db.info),
        "DJANGO_SETTINGS_MODULE": "command_settings",
        "PYTHONPATH": str(ROOT / "tests"),
    } | env
    return warm.run(
        SAMPLE / "manage.py", "periodic_schedule", *arguments, cwd=SAMPLE, env={**os.environ, **env}
    )


def place_of(db: Session) -> str:
    return f"{db.info.dbname} on {db.info.host}:{db.info.port}"


def unseen(db: Session, statement: str) -> None:
    """A write without triggers."""
    with db.transaction():
        db.execute("SET LOCAL session_replication_role = replica")
        db.execute(statement.encode())


@pytest.fixture
def schedule(db: Session) -> str:
    insert_task(db, "nightly", crontab_id=insert_crontab(db, "0 3 * * *"))
    return "nightly"


# -- In and out


def test_install_upgrade_uninstall(bare: Session, command: Command) -> None:
    before, place = schema_of(bare), place_of(bare)
    insert_task(bare, "nightly", crontab_id=insert_crontab(bare, "0 3 * * *"))
    said = command("upgrade", on=bare)
    assert said.status == 1
    assert said.err == (
        f"error: pg_periodic_schedule is not installed in {place}\n"
        "  HINT: Is this the database that you mean? If so: pg-periodic-schedule install\n"
    )
    said = command("install", "--name", "prod", "--engine", "sql")
    assert said.status == 0
    assert "engine: sql\n" in said.out
    assert "schedules: 1 inserted: nightly\n" in said.out
    assert said.out.endswith(f"{place}: {__version__} is installed\n")
    assert bare.execute("SELECT name FROM periodic_schedule.this_database()").fetchall() == [
        ("prod",)
    ]
    for verb in ("install", "upgrade"):
        assert command(verb) == (0, f"{place}: {__version__} was installed before\n", "")
    bare.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    bare.execute("SELECT periodic_schedule.run_now(pipeline_id) FROM pg_periodic_schedule")
    said = command("uninstall")
    assert said.status == 1
    assert "not sent" in said.err
    assert "pg-periodic-schedule uninstall --drop-unsent" in said.err
    said = command("uninstall", "--drop-unsent")
    assert (said.status, said.out.splitlines()[-1]) == (0, f"{place}: taken out")
    assert command("uninstall").out.endswith(f"{place}: nothing was installed\n")
    assert schema_of(bare) == before


def test_the_script_is_for_psql(bare: Session, command: Command, tmp_path: Path) -> None:
    script = tmp_path / "install.sql"
    script.write_text(command("sql", "--name", "given").out)
    before = schema_of(bare)
    client("psql", bare, "-q", "-1", "-v", "engine=sql", "-v", "name=told", "-f", script)
    told = bare.execute(
        "SELECT periodic_schedule.engine(), name FROM periodic_schedule.this_database()"
    )
    assert told.fetchall() == [("sql", "told")]
    script.write_text(command("sql", "--uninstall").out)
    client("psql", bare, "-q", "-1", "-f", script)
    assert schema_of(bare) == before
    for words in (("--uninstall", "--engine", "sql"), ("--drop-unsent",)):
        assert command("sql", *words).status == 3
    assert command("sql", "--from", "0.0.1").err.startswith("error: there is no release 0.0.1\n")


# -- check


def test_check_is_a_probe(db: Session, schedule: str, command: Command) -> None:
    place = place_of(db)
    assert command("check", on=db) == (0, f"OK {place}: {OK}\n", "")

    db.execute(
        "INSERT INTO periodic_schedule.pending_sync (table_kind, source_key, reason)"
        " VALUES ('task', '1', 'another session holds it')"
    )
    said = command("check")  # the next write does it
    assert said[:2] == (0, f"OK {place}: 0 problems, 0 of drift, 1 pending\n")
    db.execute("UPDATE periodic_schedule.pending_sync SET deferred_at = now() - interval '1 hour'")
    said = command("check")
    assert said.status == 2
    assert said.out.startswith(f"CRITICAL {place}: 1 problem, 0 of drift, 1 pending\n")
    assert "\ncritical: sync_pending: " in said.out
    db.execute("SELECT periodic_schedule.reconcile()")

    unseen(db, "UPDATE pg_periodic_schedule SET task = 'another'")
    said = command("check")
    assert said.status == 2
    assert "\ncritical: drift: " in said.out
    assert "\n  Run reconcile(), " in said.out  # what to do
    db.execute("SELECT periodic_schedule.reconcile()")

    insert_task(db, "never", crontab_id=insert_crontab(db, "0 25 * * *"))
    said = command("check")
    assert said.status == 1  # can wait until the morning
    assert said.out.startswith(f"WARNING {place}: 1 problem, ")
    assert "\nwarning: no_next_run: " in said.out
    db.execute("DELETE FROM django_celery_beat_periodictask WHERE name = 'never'")

    assert command("adopt", schedule, "--beat-is-stopped").status == 0
    db.execute("UPDATE _periodic_schedule.home SET confirmed_at = now() - interval '1 hour'")
    unseen(db, "UPDATE pg_periodic_schedule SET updated_at = now() - interval '1 hour'")
    said = command("check")
    assert said.status == 2
    assert "\ncritical: no_ticker: nobody has called tick() here yet\n" in said.out
    db.execute("SELECT periodic_schedule.tick()")
    assert command("check").status == 0


def test_check_of_several_databases(db: Session, bare: Session, command: Command) -> None:
    said = command(
        "check", "--json", "--database", url_of(db.info), "--database", AWAY,
        "--database", url_of(bare.info), "--database", "postgresql://app:sec/ret@db/app",
    )  # fmt: skip
    assert said.status == 2
    assert "sec" not in said.out.replace("seconds", "")
    found = json.loads(said.out)
    assert found["status"] == "critical"
    fine, away, nothing, misread = found["databases"]
    assert (fine["database"], fine["status"], fine["error"]) == (place_of(db), "ok", None)
    assert (fine["version"], fine["problems"], fine["pending"]) == (__version__, [], 0)
    assert {metric["name"] for metric in fine["metrics"]} == {
        name for (name,) in db.execute("SELECT name FROM periodic_schedule.metrics")
    }
    assert away["error"]["message"] == (
        'cannot connect to app on 127.0.0.1:1: connection to server at "127.0.0.1", port 1'
        " failed: Connection refused"
    )
    assert nothing["error"]["message"] == (
        f"pg_periodic_schedule is not installed in {place_of(bare)}"
    )
    assert misread["error"]["message"].startswith("this is no database URL")
    assert {away["status"], nothing["status"], misread["status"]} == {"critical"}


def test_check_does_not_wait_for_ever(db: Session, command: Command) -> None:
    said = command("check", "--timeout", "0.001", on=db)
    assert said.status == 2
    assert said.out == (f"CRITICAL {place_of(db)}: canceling statement due to statement timeout\n")


def test_another_release_is_there(db: Session, command: Command) -> None:
    release = db.execute("SELECT pg_get_functiondef('periodic_schedule.version'::regproc)")
    ((definition,),) = release.fetchall()
    db.execute(definition.replace(__version__, "99.0.0"))
    said = command("check", on=db)
    assert said.status != 0
    assert f"warning: version: the database has 99.0.0, this package {__version__}\n" in said.out
    said = command("upgrade")
    assert said.status == 1
    assert "99.0.0" in said.err
    assert "HINT: Upgrade this package: pip install -U pg-periodic-schedule." in said.err


# -- Schedules


def test_adopt_and_release(db: Session, schedule: str, command: Command) -> None:
    insert_task(db, "never", crontab_id=insert_crontab(db, "0 25 * * *"))
    said = command("adopt", schedule, "nope", on=db)
    assert said == (
        1, "", "error: there is no schedule 'nope'\n"
        "  HINT: A schedule has the name of its periodic task.\n",
    )  # fmt: skip
    said = command("adopt", schedule)
    assert said.status == 1
    assert said.out.startswith("not done: nightly: nothing would keep a stock Beat from firing")
    assert command("adopt").status == command("adopt", schedule, "--all").status == 3
    said = command("adopt", str(mirror(db, "pipeline_id", schedule)), "--beat-is-stopped")
    assert said[:2] == (0, "adopted: 1\n")
    assert "nobody has told which settings" in said.err
    assert mirror(db, "pg_owned", schedule)
    said = command("adopt", "--all", "--beat-is-stopped")
    assert said.status == 1
    assert said.out.startswith("owned before: 1\nnot done: never: it cannot run: crontab hour '25'")
    assert command("release", "--all") == (0, "released: 1\n", "")
    assert command("release", schedule) == (0, "not owned before: 1\n", "")


def test_next(db: Session, schedule: str, command: Command) -> None:
    insert_task(
        db, "evil\x1b]0;name\x07\n\tone", crontab_id=insert_crontab(db, "0 3 * * *", "Asia/Tokyo")
    )
    said = command("next", "-n", "5", on=db)
    lines = said.out.splitlines()
    assert lines[0].split() == ["run_at", "task_name", "cron_string", "fired_by"]
    assert sorted(lines[1:]) == sorted(lines[1:], key=lambda line: line[:19])
    assert any(line.split()[2:] == ["nightly", "0", "3", "*", "*", "*", "beat"] for line in lines)
    assert any(r"evil\x1b]0;name\x07 \tone" in line for line in lines)  # on one line
    said = command("next", schedule, "-n", "2")
    heads, *runs = (line.split() for line in said.out.splitlines())
    assert heads == ["task_name", "run_at", "local_time", "note"]
    assert [run[0] for run in runs] == ["nightly"] * 2
    assert runs[0][1] < runs[1][1]
    db.execute("UPDATE django_celery_beat_periodictask SET enabled = false")
    assert "nightly    never" in command("next", schedule).out
    said = command("next", "--within", "2 weeks")
    assert said.status == 1
    assert said.err.startswith("error: cannot list 10 runs within 14 days\n")


# -- What goes wrong is one sentence and a hint


@pytest.mark.parametrize("python", [BIN, OLD_STACK], ids=["psycopg", "psycopg2"])
@pytest.mark.parametrize(
    ("url", "sentence", "hint"),
    [
        (AWAY, "port 1 failed: Connection refused", "Is the server running"),
        ("postgresql://u:secret@nowhere.invalid/app", "nowhere.invalid", "Is the server running"),
        ("{place}/none", 'database "none" does not exist', "Make it, or name another."),
        ("{nobody}/bare", 'role "nobody" does not exist', "Make it, or connect as another."),
        ("postgresql//u:secret@h/d", "this is no database URL", "postgresql://USER:PASSWORD"),
        ("postgresql://u:sec/ret@h/d", "this is no database URL", "%40 for @"),
        ("postgresql://u:s@cret@h/d", "this is no database URL", "%40 for @"),
        ("service=none", 'definition of service "none" not found', "Is the server running"),
    ],
)
def test_it_is_not_reached(url: str, sentence: str, hint: str, python: Path) -> None:
    at = "{host}:{port}".format(**PLACE)
    url = url.format(place=f"postgresql://{APPLICATION}@{at}", nobody=f"postgresql://nobody@{at}")
    status, said = ended(process("next", on=url, python=python))
    assert status == 1
    assert sentence in said
    assert hint in said.splitlines()[1]
    assert len(said.splitlines()) == 2
    assert "Traceback" not in said
    for secret in ("secret", "ret@", "cret@", ":sec"):
        assert secret not in said


def test_no_right(db: Session, schedule: str, command: Command) -> None:
    db.execute("DROP ROLE IF EXISTS the_stranger; CREATE ROLE the_stranger LOGIN")
    url = url_of(db.info).replace(f"//{APPLICATION}@", "//the_stranger@")
    try:
        for words, kind in ((["check"], "reader"), (["adopt", schedule], "operator")):
            said = command(*words, on=url)
            grant = f"SELECT periodic_schedule.grant_access('{kind}', 'the_stranger');"
            assert said.status != 0
            assert grant in said.out + said.err
            db.execute(grant.encode())
            assert "permission" not in "".join(command(*words)[1:])
        said = command("install")
        assert said.status == 1
        assert "HINT: Connect as " in said.err
    finally:
        db.execute("DROP OWNED BY the_stranger; DROP ROLE the_stranger")


def test_a_server_that_cannot_be_written(
    db: Session, schedule: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c default_transaction_read_only=on")
    assert command("check", on=db).status == 0
    assert command("next").status == 0
    for words in (["adopt", schedule], ["release", "--all"], ["uninstall"]):
        said = command(*words)
        assert said.status == 1, words
        assert "on the primary" in said.err, said.err


def test_words_that_are_wrong(db: Session, command: Command) -> None:
    for words in (["nope"], ["check", "--nope"], ["next", "-n", "x"], []):
        assert command(*words, on=db).status == 3
    said = command("install", "--database", AWAY, "--database", AWAY)
    assert said.status == 3
    assert "one database at a time" in said.err
    assert command("next", "\udcff").err == "error: the command line is not in UTF-8\n"
    said = command("install", "--engine", "none")
    assert said.err.startswith("error: there is no engine none\n")


@pytest.mark.parametrize("python", [BIN, OLD_STACK], ids=["psycopg", "psycopg2"])
def test_what_takes_long_says_so_and_can_be_interrupted(bare: Session, python: Path) -> None:
    other = psycopg.connect(bare.info.dsn)
    other.execute("LOCK TABLE django_celery_beat_periodictask IN ROW EXCLUSIVE MODE")
    started = process("install", on=bare, python=python)
    assert started.stdout is not None
    for line in started.stdout:  # said at once, and not when all is over
        if "; trying again" in line:
            break
    names = "SELECT application_name FROM pg_stat_activity WHERE datname = current_database()"
    assert ("pg-periodic-schedule",) in bare.execute(names).fetchall()
    started.send_signal(signal.SIGINT)
    status, said = ended(started)
    assert status == 130
    assert said.endswith("interrupted: what was not done yet is left as it was\n")
    assert "Traceback" not in said
    other.close()
    assert ours(bare) == []


ONE_LONG_STATEMENT = """
from functools import partial
from pg_periodic_schedule.command.places import Urls, at_work
(place,) = Urls().named([])
with at_work(place, partial(print, flush=True)) as db:
    db.run("DO $$BEGIN RAISE NOTICE 'heard'; PERFORM pg_sleep(60); END$$")
"""


@pytest.mark.parametrize("python", [BIN, OLD_STACK], ids=["psycopg", "psycopg2"])
def test_it_hears_the_server_and_ctrl_c_within_a_statement(bare: Session, python: Path) -> None:
    started = subprocess.Popen(
        [python / "python", "-c", ONE_LONG_STATEMENT],
        env={**os.environ, "DATABASE_URL": url_of(bare.info)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "heard\n"
    started.send_signal(signal.SIGINT)
    _, said = started.communicate(timeout=20)
    assert "KeyboardInterrupt" in said


def test_what_nobody_reads_is_done_all_the_same(db: Session) -> None:
    read, write = os.pipe()
    os.close(read)
    started = process("check", on=db, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (started.communicate()[1], started.returncode) == ("", 0)
    with Path("/dev/full").open("w") as full:
        started = process("sql", on=db, stdout=full, stderr=subprocess.PIPE)
        assert started.communicate()[1] == (
            "error: the output cannot be written: No space left on device\n"
        )
    assert started.returncode == 1


def test_an_output_without_unicode(db: Session) -> None:
    insert_task(db, "nächtlich", crontab_id=insert_crontab(db, "0 3 * * *"))
    for env in ({"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}):
        status, said = ended(process("next", on=db, env=env))
        assert status == 0
        assert re.search(r"n(ä|\\xe4)chtlich", said)


def test_on_a_terminal_there_is_a_live_line(bare: Session) -> None:
    """rich's, where it is installed; an old application has it not."""
    for python, is_live in ((OLD_STACK, False), (BIN, True)):
        ours_end, its_end = pty.openpty()
        words = ("install",) if is_live else ("check",)
        env = {"TERM": "xterm", "COLUMNS": "100"}
        started = process(*words, on=bare, python=python, stdout=its_end, stderr=its_end, env=env)
        os.close(its_end)
        said = b""
        while True:
            try:
                said += os.read(ours_end, 65536)
            except OSError:  # so a terminal ends
                break
        os.close(ours_end)
        started.wait()
        assert (b"\x1b[" in said) == is_live
        assert (f"installing in {place_of(bare)}".encode() in said) == is_live


def test_without_click(db: Session) -> None:
    hidden = "import sys; sys.modules['click'] = None; "
    sentence = (
        "error: the command needs click, which is not in this environment:"
        " pip install 'pg-periodic-schedule[cli]'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", hidden + OURS, "check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (3, sentence)
    manage_py = (  # Celery, which Beat's tables come with, brings click; others may not
        "import django; django.setup();"
        f" {hidden} from django.core.management import execute_from_command_line as go;"
        " go(['manage.py', 'periodic_schedule', 'check'])"
    )
    env = {"DATABASE_URL": url_of(db.info), "DJANGO_SETTINGS_MODULE": "sample.settings"}
    done = subprocess.run(
        [sys.executable, "-c", manage_py],
        cwd=SAMPLE, env={**os.environ, **env}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (3, sentence)


def test_behind_a_pooler_nothing_stays(db: Session, schedule: str, command: Command) -> None:
    pooler = PgBouncer(db, "transaction", 1)
    url = "postgresql://{user}@{host}:{port}/{dbname}".format(**pooler.place)
    try:
        for words in (["install"], ["check"], ["next"], ["adopt", schedule, "--beat-is-stopped"]):
            assert command(*words, on=url).status == 0, words
        with pooler.connect() as session:
            assert session.execute(LEAKED).fetchone() == (None,)
    finally:
        pooler.stop()


# -- What the server needs


def test_server_requirements(bare: Session, command: Command) -> None:
    said = command("server-requirements", on=bare)
    assert said.status == 0
    lines = {line.split()[0]: line for line in said.out.splitlines()}
    assert lines["PostgreSQL"].split()[4].startswith(str(bare.info.server_version // 10000))
    assert lines["encoding"].endswith("UTF8")
    assert f"ok: engine sql can be installed, as {APPLICATION}\n" in said.out
    if ENGINE == "plpython":
        assert lines["croniter"].split()[-1] == lines["croniter"].split()[-2]
        assert f"ok: engine plpython can be installed, as {APPLICATION}\n" in said.out
    else:
        assert lines["plpython3u"].endswith("not there")
        assert "lacks: engine plpython: " in said.out
        assert "  apt-get install -y postgresql-plpython3-" in said.out
        assert command("server-requirements", "--engine", "plpython").status == 1
    assert ours(bare) == []
    assert bare.execute("SELECT 1 FROM pg_extension WHERE extname = 'plpython3u'").fetchall() == []


def test_server_requirements_of_a_plain_role(bare: Session, command: Command) -> None:
    bare.execute("DROP ROLE IF EXISTS the_stranger; CREATE ROLE the_stranger LOGIN")
    url = url_of(bare.info).replace(f"//{APPLICATION}@", "//the_stranger@")
    try:
        said = command("server-requirements", on=url)
        assert said.status == 1
        assert (
            "lacks: engine sql: role the_stranger is neither the owner of Beat's tables nor a"
            " superuser\n"
            f"  DETAIL: They belong to {APPLICATION}: triggers are its to make.\n"
            f"  HINT: Connect as {APPLICATION}.\n"
        ) in said.out
    finally:
        bare.execute("DROP ROLE the_stranger")


# -- manage.py periodic_schedule


def test_manage_py(db: Session, schedule: str) -> None:
    """Django's options may stand anywhere."""
    assert manage(db, "check", "--no-color", "-v", "2") == (0, f"OK default: {OK}\n")
    status, said = manage(db, "--version")
    assert (status, said) == (0, f"{__version__}\n")
    status, said = manage(db, "--help")
    assert (status, said.splitlines()[0]) == (
        0, "Usage: manage.py periodic_schedule [OPTIONS] COMMAND [ARGS]...",
    )  # fmt: skip
    status, said = manage(db, "adopt", schedule)
    assert (status, said[:19]) == (1, "not done: nightly: ")
    status, said = manage(db, "check", "--database", "away", "--database", "default")
    assert status == 2
    assert said.startswith("CRITICAL away: cannot connect to away: ")
    assert f"\nOK default: {OK}\n" in said
    assert "secret" not in said
    assert manage(db, "check", "--database", "none") == (
        2, "CRITICAL not known: there is no database 'none' in DATABASES\n"
        "  HINT: There are: away, default, memory.\n",
    )  # fmt: skip
    assert manage(db, "install", "--database", "memory") == (
        1, "error: database 'memory' is SQLite, not PostgreSQL\n"
        "  HINT: Name the one with Beat's tables: --database ALIAS.\n",
    )  # fmt: skip


def test_manage_py_takes_the_database_that_beat_writes_and_the_settings(bare: Session) -> None:
    routed = {"DJANGO_SETTINGS_MODULE": "command_routed_settings"}
    status, said = manage(bare, "install", **routed)
    assert status == 0, said
    assert "engine: sql\n" in said
    assert said.endswith(f"beat: {__version__} is installed\n")
    assert manage(bare, "uninstall", **routed)[1].endswith("beat: taken out\n")


@pytest.mark.usefixtures("orm")
def test_call_command(schedule: str) -> None:
    import io

    from django.core.management import CommandError, call_command

    out, err = io.StringIO(), io.StringIO()
    call_command("periodic_schedule", "check", stdout=out)
    assert out.getvalue() == f"OK default: {OK}\n"
    with pytest.raises(CommandError) as raised:
        call_command("periodic_schedule", "adopt", schedule, "nope", stdout=out, stderr=err)
    assert raised.value.returncode == 1
    assert err.getvalue().startswith("error: there is no schedule 'nope'\n")


def test_an_old_application(bare: Session) -> None:
    """psycopg2, Django 4.2, no rich."""
    status, said = ended(process("install", on=bare, python=OLD_STACK))
    assert (status, said.splitlines()[-1]) == (0, f"{place_of(bare)}: {__version__} is installed")
    env = {
        "DATABASE_URL": url_of(bare.info),
        "DJANGO_SETTINGS_MODULE": "command_settings",
        "PYTHONPATH": str(ROOT / "tests"),
    }
    done = subprocess.run(
        [OLD_STACK / "python", "manage.py", "periodic_schedule", "check"],
        cwd=SAMPLE, env={**os.environ, **env}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, f"OK default: {OK}\n", "")


# -- docs/command.md

DOC = (ROOT / "docs/command.md").read_text()
EXAMPLE = re.compile(r"^\$ pg-periodic-schedule (.*)\n((?:[^$`].*\n)*)", re.MULTILINE)


def without_times(text: str) -> str:
    """Of the day when it was written, and of that server."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\+\d\d)?", "TIME", text)
    text = re.sub(r"\d\d\.\d+ \(Debian [^)]*\)", "VERSION", text)
    return re.sub(r"pg_periodic_schedule: 1 of 1 tasks done\n", "", text)


@pytest.mark.python
def test_its_page_shows_what_it_prints(bare: Session, command: Command) -> None:
    for name, cron, zone in (
        ("Nightly load", "0 3 * * *", "Europe/Berlin"),
        ("Broken", "0 25 * * *", "UTC"),
    ):
        insert_task(bare, name, crontab_id=insert_crontab(bare, cron, zone))
    examples = EXAMPLE.findall(DOC)
    assert len(examples) == DOC.count("\n$ ") == 8
    for line, output in examples:
        said = command(*shlex.split(line), on=bare)
        shown = (said.err + said.out).replace(place_of(bare), "app on db:5432")
        assert without_times(shown) == without_times(output), line


def test_its_page_names_every_subcommand_and_option(command: Command) -> None:
    for name in re.findall(r"^  ([a-z][a-z-]+)  ", command("--help").out, re.MULTILINE):
        assert f"`{name}`" in DOC
        options = re.findall(r"^  (?:-h, )?(-[a-z-]+)", command(name, "--help").out, re.MULTILINE)
        assert {option for option in options if option not in DOC} == set()
        assert len(options) > 1
