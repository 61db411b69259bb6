"""fence_beat() and unfence_beat(): whom they refuse, what other roles can do, other policies."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from brokers import wait_for
from conftest import (
    APPLICATION,
    SAMPLE,
    drift,
    insert_crontab,
    insert_interval,
    insert_task,
    mirror,
    pending,
    run,
    url_of,
)
from places import TASKS, Roles, Session, fence, rls_policies, session_of
from ticking import adopt


def diagnosis(db: Session, role: str | None) -> tuple[Any, ...]:
    with pytest.raises(psycopg.Error) as raised:
        db.execute("SELECT periodic_schedule.fence_beat(%s)", [role])
    said = raised.value.diag
    return said.sqlstate, said.message_primary, said.message_detail, said.message_hint


def mirror_key(db: Session, task: int) -> Any:
    row = db.execute(
        "SELECT pipeline_id FROM pg_periodic_schedule WHERE periodic_task_id = %s", [task]
    ).fetchone()
    assert row is not None
    return row[0]


def test_roles_that_cannot_be_fenced_are_refused(db: Session, roles: Roles) -> None:
    owner, above = roles("owner"), roles("super", "SUPERUSER")
    member, bypass = roles("member"), roles("bypass", "LOGIN BYPASSRLS")
    db.execute(f"ALTER TABLE {TASKS} OWNER TO {owner}; GRANT {owner} TO {member}")
    db.execute(f"GRANT ALL ON {TASKS} TO {APPLICATION}")  # whose functions go on
    try:
        for missing in ("nobody at all", None):
            state, message, _, hint = diagnosis(db, missing)
            assert (state, message) == ("42704", f"there is no role {missing or 'NULL'}")
            assert hint.startswith("CREATE ROLE ")
        for role in (above, owner, member, bypass):
            state, message, detail, hint = diagnosis(db, role)
            assert (state, message) == ("22023", f"role {role} cannot be fenced")
            assert owner in detail
            assert "a role of its own" in hint
        assert rls_policies(db) == ({}, False)
        assert db.execute("SELECT periodic_schedule.is_beat_fenced()").fetchone() == (False,)
        (refused,) = db.execute(
            "SELECT a.done, a.reason FROM periodic_schedule.adopt(ARRAY[%s::uuid]) AS a",
            [mirror_key(db, insert_task(db, "t", interval_id=insert_interval(db, 3600)))],
        ).fetchall()
        assert refused == (
            False,
            "nothing would keep a stock Beat from firing it too: fence_beat(role), or stop Beat"
            " and use beat_is_stopped => true",
        )
    finally:
        db.execute(f"ALTER TABLE {TASKS} OWNER TO postgres")


def test_fences_are_put_up_and_taken_down(db: Session, roles: Roles) -> None:
    first, second = roles("first"), roles("second")
    both = ({"periodic_schedule_all": [], "periodic_schedule_beat": [first, second]}, True)
    for role in (first, second, first):
        fence(db, role)
    assert rls_policies(db) == both
    oids = "SELECT cardinality(polroles) FROM pg_policy WHERE polname = 'periodic_schedule_beat'"
    assert db.execute(oids).fetchone() == (2,)
    db.execute("SELECT periodic_schedule.unfence_beat(); SELECT periodic_schedule.unfence_beat()")
    assert rls_policies(db) == ({}, False)
    # DROP OWNED, before a role is dropped, takes the policy that names it and leaves the other.
    for again in (True, False):
        fence(db, first)
        db.execute(f"DROP OWNED BY {first}")
        assert db.execute("SELECT periodic_schedule.is_beat_fenced()").fetchone() == (False,)
        if again:
            fence(db, second)
            assert rls_policies(db)[0]["periodic_schedule_beat"] == [second]
        db.execute("SELECT periodic_schedule.unfence_beat()")
        assert rls_policies(db) == ({}, False)


def test_adopt_tells_that_nobody_is_connected_as_the_fenced_role(db: Session, roles: Roles) -> None:
    """Beat was not restarted after its settings were changed: it fires what is adopted."""
    role = roles("beat")
    fence(db, role)
    told: list[str] = []
    db.add_notice_handler(lambda notice: told.append(f"{notice.message_primary}"))
    db.execute("SELECT periodic_schedule.tell_settings(use_tz => true, time_zone => 'UTC')")
    adopt = "SELECT done FROM periodic_schedule.adopt()"
    insert_task(db, "a", interval_id=insert_interval(db, 3600), enabled=False)
    with session_of(db, role):
        assert db.execute(adopt).fetchall() == [(True,)]
    assert told == []
    db.execute("SELECT * FROM periodic_schedule.release()")
    wait_for(
        lambda: db.execute("SELECT FROM pg_stat_activity WHERE usename = %s", [role]).rowcount == 0
    )
    assert db.execute(adopt).fetchall() == [(True,)]
    assert told == [f"no session of {role} is connected"]
    # Nor is it one of who may do more, and is a member: on managed services, who made the role.
    db.execute("SELECT * FROM periodic_schedule.release()")
    administrator = roles("administrator", options="LOGIN BYPASSRLS")
    db.execute(f"GRANT {role} TO {administrator}")
    with session_of(db, administrator):
        assert db.execute(adopt).fetchall() == [(True,)]
    assert told[1:] == told[:1]


def test_what_other_roles_can_do_under_a_fence(db: Session, roles: Roles) -> None:
    """All but what Postgres refuses those who do not own a table with row-level security."""
    role, other = roles("beat"), roles("other", more=", DELETE")
    task = insert_task(db, "t", interval_id=insert_interval(db, 3600))
    insert_task(db, "theirs", interval_id=insert_interval(db, 3600))
    with session_of(db, other) as session:
        for fenced in (False, True):
            if fenced:
                fence(db, role)
                db.execute(
                    "SELECT periodic_schedule.adopt(ARRAY[%s::uuid])", [mirror_key(db, task)]
                )
                assert mirror(db, "pg_owned", "t")
            count = f"SELECT count(*) FROM {TASKS}"
            assert session.execute(count).fetchone() == (2,)
            session.execute(f"UPDATE {TASKS} SET description = 'x'")
            new = insert_task(session, "new", interval_id=insert_interval(session, 3600))
            session.execute(f"DELETE FROM {TASKS} WHERE id = %s", [new])
            with session.cursor().copy(f"COPY {TASKS} TO STDOUT") as copy:
                assert len(list(copy)) == 2
            if fenced:
                with (
                    pytest.raises(psycopg.errors.FeatureNotSupported, match="COPY FROM"),
                    session.cursor().copy(f"COPY {TASKS} FROM STDIN") as copy,
                ):
                    pass
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level"):
                    session.execute(f"SET row_security = off; {count}")  # as pg_dump does
            else:
                with session.cursor().copy(f"COPY {TASKS} FROM STDIN"):
                    pass
    with session_of(db, role) as session:
        assert session.execute(f"SELECT name FROM {TASKS}").fetchall() == [("theirs",)]
        assert session.execute(f"UPDATE {TASKS} SET enabled = false").rowcount == 1
    assert mirror(db, "enabled", "t")


def test_django_migrates_its_tables_under_a_fence(db: Session, roles: Roles) -> None:
    role = roles("beat")
    fence(db, role)
    insert_task(db, "t", crontab_id=insert_crontab(db, "0 3 * * *"))
    db.execute("SELECT periodic_schedule.adopt(beat_is_stopped => true)")
    before = rls_policies(db)
    for target in ("0014", "0019"):
        run(
            *("python", "manage.py", "migrate", "-v0", "django_celery_beat", target),
            url=url_of(db.info),
            cwd=SAMPLE,
        )
    assert rls_policies(db) == before
    assert mirror(db, "pg_owned", "t")
    assert (drift(db), pending(db)) == ([], [])
    with session_of(db, role) as session:
        assert session.execute(f"SELECT count(*) FROM {TASKS}").fetchone() == (0,)


@pytest.fixture
def three_roles(db: Session) -> Iterator[None]:
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


@pytest.mark.usefixtures("three_roles")
def test_an_applications_own_row_security_stays(db: Session) -> None:
    for name in ("mine", "theirs", "mine, of Beat"):
        insert_task(db, name, crontab_id=insert_crontab(db, "0 3 * * *"))
    adopt(db)
    db.execute("SELECT periodic_schedule.release(array_agg(pipeline_id))"
               " FROM pg_periodic_schedule WHERE task_name LIKE '%, of Beat'")  # fmt: skip
    db.execute(f"ALTER TABLE {TASKS} ENABLE ROW LEVEL SECURITY")
    db.execute(f"CREATE POLICY tenant ON {TASKS} USING (name LIKE 'mine%')")
    db.execute("SELECT periodic_schedule.fence_beat('fenced_beat')")
    assert seen_by(db, "some_app") == {"mine", "mine, of Beat"}
    assert seen_by(db, "fenced_beat") == {"mine, of Beat"}
    db.execute("SELECT periodic_schedule.release(); SELECT periodic_schedule.unfence_beat()")
    assert security(db) == (True, 1)
    assert seen_by(db, "fenced_beat") == {"mine", "mine, of Beat"}


@pytest.mark.usefixtures("three_roles")
def test_row_security_without_policies_stays_on(db: Session) -> None:
    db.execute(f"ALTER TABLE {TASKS} ENABLE ROW LEVEL SECURITY")
    db.execute("SELECT periodic_schedule.fence_beat('fenced_beat')")
    db.execute("SELECT periodic_schedule.unfence_beat()")
    assert security(db) == (True, 0)


@pytest.mark.usefixtures("three_roles")
def test_a_fence_whose_role_is_gone_is_made_anew_and_undone(db: Session) -> None:
    insert_task(db, "t", crontab_id=insert_crontab(db, "0 3 * * *"))
    adopt(db)
    for _ in range(2):
        db.execute("SELECT periodic_schedule.fence_beat('fenced_beat')")
        assert (seen_by(db, "fenced_beat"), seen_by(db, "some_app")) == (set(), {"t"})
        db.execute("DROP OWNED BY fenced_beat; DROP ROLE fenced_beat")
        assert db.execute("SELECT periodic_schedule.is_beat_fenced()").fetchall() == [(False,)]
        db.execute("SELECT periodic_schedule.fence_beat('other_beat')")
        adopt(db)
        db.execute("SELECT periodic_schedule.unfence_beat()")
        assert security(db) == (False, 0)
        db.execute("CREATE ROLE fenced_beat; GRANT ALL ON ALL TABLES IN SCHEMA public"
                   " TO fenced_beat")  # fmt: skip
