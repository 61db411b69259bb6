"""fence_beat() beside an application's own row-level security."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from conftest import insert_task
from ticking import TASKS, adopt

Session = psycopg.Connection[Any]


@pytest.fixture
def roles(db: Session) -> Iterator[None]:
    names = "fenced_beat, other_beat, some_app"
    for name in names.split(", "):
        db.execute(f"CREATE ROLE {name}; GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}")
    yield
    db.execute("RESET ROLE")
    for name in names.split(", "):
        if db.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).fetchall():
            db.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def seen_by(db: Session, role: str) -> set[str]:
    db.execute(f"SET ROLE {role}")
    names = {name for (name,) in db.execute(f"SELECT name FROM {TASKS}")}
    db.execute("RESET ROLE")
    return names


def security(db: Session) -> Any:
    """Is it on, and by how many policies?"""
    return db.execute(
        "SELECT relrowsecurity, (SELECT count(*) FROM pg_policy)"
        " FROM pg_class WHERE oid = %s::regclass",
        [TASKS],
    ).fetchall()[0]


@pytest.mark.usefixtures("roles")
def test_an_applications_own_row_security_stays(db: Session) -> None:
    for name in ("mine", "theirs", "mine, of Beat"):
        insert_task(db, name)
    adopt(db)
    db.execute("SELECT periodic_schedule.release(array_agg(pipeline_id))"
               " FROM pg_periodic_schedule WHERE task_name LIKE '%, of Beat'")  # fmt: skip
    db.execute(f"ALTER TABLE {TASKS} ENABLE ROW LEVEL SECURITY")
    db.execute(f"CREATE POLICY tenant ON {TASKS} USING (name LIKE 'mine%')")
    db.execute("SELECT periodic_schedule.fence_beat('fenced_beat')")
    assert seen_by(db, "some_app") == {"mine", "mine, of Beat"}
    assert seen_by(db, "fenced_beat") == {"mine, of Beat"}
    db.execute("SELECT periodic_schedule.unfence_beat()")
    assert security(db) == (True, 1)
    assert seen_by(db, "fenced_beat") == {"mine", "mine, of Beat"}


@pytest.mark.usefixtures("roles")
def test_row_security_without_policies_stays_on(db: Session) -> None:
    db.execute(f"ALTER TABLE {TASKS} ENABLE ROW LEVEL SECURITY")
    db.execute("SELECT periodic_schedule.fence_beat('fenced_beat')")
    db.execute("SELECT periodic_schedule.unfence_beat()")
    assert security(db) == (True, 0)


@pytest.mark.usefixtures("roles")
def test_a_fence_whose_role_is_gone_is_made_anew_and_undone(db: Session) -> None:
    insert_task(db, "t")
    adopt(db)
    for _ in range(2):
        db.execute("SELECT periodic_schedule.fence_beat('fenced_beat')")
        assert (seen_by(db, "fenced_beat"), seen_by(db, "some_app")) == (set(), {"t"})
        db.execute("DROP OWNED BY fenced_beat; DROP ROLE fenced_beat")
        assert db.execute("SELECT periodic_schedule.is_beat_fenced()").fetchall() == [(False,)]
        db.execute("SELECT periodic_schedule.fence_beat('other_beat')")
        db.execute("SELECT periodic_schedule.unfence_beat()")
        assert security(db) == (False, 0)
        db.execute("CREATE ROLE fenced_beat; GRANT ALL ON ALL TABLES IN SCHEMA public"
                   " TO fenced_beat")  # fmt: skip
