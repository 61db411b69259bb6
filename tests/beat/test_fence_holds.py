"""A guard is no moment: what is Postgres's stays kept from a stock Beat, or health says so."""

import re
import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from brokers import wait_for
from conftest import APPLICATION, alembic, insert_interval, insert_task, mirror, url_of
from places import TASKS, Roles, Session, fence, session_of
from ticking import adopt

POLICY = f"POLICY periodic_schedule_beat ON {TASKS}"
ALL = f"POLICY periodic_schedule_all ON {TASKS}"
HIDES = "USING (NOT _periodic_schedule.is_pg_owned(id))"
# What lets a Beat that connects as the role see what is Postgres's.
BROKEN = {
    "off": f"ALTER TABLE {TASKS} DISABLE ROW LEVEL SECURITY",
    "dropped": f"DROP {POLICY}",
    "dropped, and off": f"DROP {POLICY}; ALTER TABLE {TASKS} DISABLE ROW LEVEL SECURITY",
    "both dropped, and off": f"DROP {POLICY}; DROP POLICY periodic_schedule_all ON {TASKS};"
    f" ALTER TABLE {TASKS} DISABLE ROW LEVEL SECURITY",
    "of all rows": f"ALTER {POLICY} USING (true)",
    "of all rows too": f"ALTER {POLICY} USING (NOT _periodic_schedule.is_pg_owned(id) OR true)",
    "of another row": f"ALTER {POLICY} USING (NOT _periodic_schedule.is_pg_owned(id + 100))",
    "for another": f"ALTER {POLICY} TO {{other}}",
    "permissive": f"DROP {POLICY}; CREATE {POLICY} TO {{role}} {HIDES}",
    "for writes": f"DROP {POLICY}; CREATE {POLICY} AS RESTRICTIVE FOR UPDATE TO {{role}} {HIDES}",
    "superuser": "ALTER ROLE {role} SUPERUSER",
    "bypasses": "ALTER ROLE {role} BYPASSRLS",
    "member of the owner": f"GRANT {APPLICATION} TO {{role}}",
}
# What does not, though it looks like it.
HOLDS = {
    "for everybody": f"ALTER {POLICY} TO PUBLIC",
    "for a role that it is": f"GRANT {{other}} TO {{role}}; ALTER {POLICY} TO {{other}}",
    "for reads": f"DROP {POLICY}; CREATE {POLICY} AS RESTRICTIVE FOR SELECT TO {{role}} {HIDES}",
    "another policy": f"CREATE POLICY mine ON {TASKS} USING (true)",
    "renamed": "ALTER ROLE {role} RENAME TO renamed_beat; ALTER ROLE renamed_beat RENAME TO {role}",
    "does not inherit": f"ALTER ROLE {{role}} NOINHERIT; GRANT {APPLICATION} TO {{role}}",
    "of bigint": f"SET CONSTRAINTS ALL IMMEDIATE; DROP {POLICY};"
    f" ALTER TABLE {TASKS} ALTER id TYPE bigint;"
    f" CREATE {POLICY} AS RESTRICTIVE TO {{role}} {HIDES}",
}


def health(db: Session) -> list[Any]:
    """But for what is so in all these tests: Beat's tables are a superuser's."""
    return db.execute(
        "SELECT problem, detail FROM periodic_schedule.health"
        " WHERE problem <> 'superuser_functions'"
    ).fetchall()


def is_fenced(db: Session) -> bool:
    return db.execute("SELECT periodic_schedule.is_beat_fenced()").fetchall() == [(True,)]


def add(db: Session, name: str) -> Any:
    """Whose it is."""
    insert_task(db, name, interval_id=insert_interval(db, 3600))
    return mirror(db, "pg_owned", name)


def seen(session: Session) -> list[Any]:
    return session.execute(f"SELECT name FROM {TASKS} WHERE name = 'ours'").fetchall()


def seen_by(db: Session, role: str) -> list[Any]:
    db.execute(f"SET LOCAL ROLE {role}")
    found = seen(db)
    db.execute("RESET ROLE")
    return found


@pytest.fixture
def beat_role(db: Session, roles: Roles) -> str:
    """A fenced one, and all schedules are Postgres's."""
    role = roles("beat")
    add(db, "ours")
    fence(db, role)
    db.execute("SELECT periodic_schedule.adopt()")
    assert (mirror(db, "pg_owned", "ours"), add(db, "new"), health(db)) == (True, True, [])
    return role


def test_a_fence_that_is_broken_is_seen_and_mended(
    db: Session, beat_role: str, roles: Roles
) -> None:
    other, operator = roles("other"), roles("operator")
    db.execute("SELECT periodic_schedule.grant_access('operator', %s)", [operator])
    for how, statements in BROKEN.items():
        with db.transaction(force_rollback=True):
            db.execute(statements.format(role=beat_role, other=other).encode())
            assert seen_by(db, beat_role) == [("ours",)], how
            assert not is_fenced(db), how
            unfenced = [detail for problem, detail in health(db) if problem == "unfenced"]
            assert len(unfenced) == 1, how
            assert unfenced[0].startswith(f"role {beat_role} was fenced and is not any more"), how
            # Nobody becomes a second one that fires.
            assert add(db, "meanwhile") is False, how
            refused = db.execute("SELECT done FROM periodic_schedule.adopt() WHERE NOT done")
            assert refused.fetchall() == [(False,)], how
            db.execute("SET CONSTRAINTS ALL IMMEDIATE")  # Django's are deferred
            mend = unfenced[0].rpartition(": ")[2]
            if mend.startswith("SELECT periodic_schedule.fence_beat"):
                db.execute(f"SET LOCAL ROLE {operator}")
            db.execute(mend.encode())
            db.execute("RESET ROLE")
            assert (seen_by(db, beat_role), health(db), is_fenced(db)) == ([], [], True), how
            assert add(db, "afterwards") is True, how
            db.execute("SELECT periodic_schedule.release(); SET CONSTRAINTS ALL IMMEDIATE")
            db.execute("SELECT periodic_schedule.unfence_beat()")
            policies = db.execute("SELECT polname FROM pg_policy").fetchall()
            security = f"SELECT relrowsecurity FROM pg_class WHERE oid = '{TASKS}'::regclass"
            assert (policies, db.execute(security).fetchall()) == ([], [(False,)]), how


def test_a_fence_that_holds_is_not_said_to_be_broken(
    db: Session, beat_role: str, roles: Roles
) -> None:
    other = roles("other")
    for how, statements in HOLDS.items():
        with db.transaction(force_rollback=True):
            db.execute(f"GRANT EXECUTE ON FUNCTION _periodic_schedule.is_pg_owned TO {other}")
            db.execute(statements.format(role=beat_role, other=other).encode())
            if how != "for a role that it is":  # else it was fenced itself, as it seems
                db.execute(f"REVOKE ALL ON FUNCTION _periodic_schedule.is_pg_owned FROM {other}")
            assert (seen_by(db, beat_role), is_fenced(db), health(db)) == ([], True, []), how
    with db.transaction(force_rollback=True):  # then Beat fires nothing at all
        db.execute(f"REVOKE ALL ON FUNCTION _periodic_schedule.is_pg_owned FROM {beat_role}")
        assert ([problem for problem, _ in health(db)], is_fenced(db)) == (["wrong_rights"], True)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            seen_by(db, beat_role)


def test_a_role_whose_sessions_begin_as_another(db: Session, beat_role: str, roles: Roles) -> None:
    """As roles do that a vault gives out: ALTER ROLE … SET role."""
    other, owner_to_be = roles("other"), APPLICATION
    database = db.info.dbname
    db.execute(f"ALTER ROLE {beat_role} NOINHERIT; GRANT {owner_to_be} TO {beat_role}")
    for setting, breaks in {
        f"ALTER ROLE {beat_role} SET role = {owner_to_be}": True,
        f"ALTER DATABASE {database} SET role = {owner_to_be}": True,
        f"ALTER ROLE {beat_role} SET role = {other}": False,  # which it may not be
    }.items():
        db.execute(setting.encode())
        with session_of(db, beat_role) as session:
            assert seen(session) == [("ours",)] * breaks
        assert is_fenced(db) is not breaks
        problems = health(db)
        if breaks:
            with pytest.raises(psycopg.errors.InvalidParameterValue) as refused:
                fence(db, beat_role)
            assert f"sessions begin as role {owner_to_be}" in str(refused.value.diag.message_detail)
            ((problem, detail),) = problems
            assert problem == "unfenced"
            db.execute(detail.rpartition(": ")[2].encode())
            with session_of(db, beat_role) as session:
                assert seen(session) == []
        assert health(db) == []
        db.execute(f"ALTER DATABASE {database} RESET role; ALTER ROLE {beat_role} RESET role;"
                   f" ALTER ROLE {beat_role} IN DATABASE {database} RESET role")  # fmt: skip


def test_a_function_that_hides_nothing(db: Session, beat_role: str) -> None:
    """Under its name: CREATE OR REPLACE keeps grants, comment and the RLS policy that calls it."""
    db.execute(
        "CREATE OR REPLACE FUNCTION _periodic_schedule.is_pg_owned(task_id bigint)"
        " RETURNS boolean LANGUAGE sql AS 'SELECT false'"
    )
    with session_of(db, beat_role) as session:
        assert seen(session) == [("ours",)]
        found = dict(health(db))  # nor does it run as its owner
        assert found.keys() == {"unfenced", "wrong_rights"}
        detail = found["unfenced"]
        assert (is_fenced(db), add(db, "meanwhile")) == (False, False)
        db.execute("SELECT * FROM periodic_schedule.attach()")  # what it cannot mend, it leaves
        assert not is_fenced(db)
        drop, then, _ = detail.partition("the function that hides them was replaced: ")[2].split(
            ";", maxsplit=2
        )
        db.execute(drop.encode())
        alembic(*re.findall("alembic (upgrade) (head)", then)[0], url=url_of(db.info))
        db.execute(re.findall(r"SELECT periodic_schedule.fence_beat\(.*\);", detail)[0].encode())
        assert (seen(session), health(db), is_fenced(db)) == ([], [], True)


def test_a_fenced_beat_that_sees_nothing_fires_nothing(db: Session, beat_role: str) -> None:
    for hides in (f"DROP {ALL}", f"ALTER {ALL} TO postgres", f"ALTER {ALL} TO {beat_role}"):
        with db.transaction(force_rollback=True):
            db.execute(hides.encode())
            assert health(db) == []  # it has nothing to fire
            db.execute(
                "SELECT periodic_schedule.release(ARRAY(SELECT pipeline_id"
                " FROM pg_periodic_schedule WHERE task_name = 'ours'));"
                " SET CONSTRAINTS ALL IMMEDIATE"
            )
            if hides.endswith(beat_role):
                assert (seen_by(db, beat_role), health(db)) == ([("ours",)], [])
                continue
            assert seen_by(db, beat_role) == []
            ((problem, detail),) = health(db)
            assert (problem, detail[:2]) == ("left_to_beat", "1 ")
            db.execute(f"DROP POLICY IF EXISTS periodic_schedule_all ON {TASKS}")
            db.execute(detail[detail.index("CREATE POLICY") :].encode())
            assert (seen_by(db, beat_role), health(db)) == ([("ours",)], [])


def test_the_owner_of_the_table_is_not_bound(db: Session, beat_role: str) -> None:
    db.execute(f"ALTER TABLE {TASKS} OWNER TO {beat_role}")
    try:
        with session_of(db, beat_role) as session:
            assert seen(session) == [("ours",)]
        details = dict(health(db))
        assert "it owns Beat's table of tasks" in details["unfenced"]
        assert not is_fenced(db)
    finally:
        db.execute(f"ALTER TABLE {TASKS} OWNER TO {APPLICATION}")
    assert health(db) == []


def test_one_of_two_fenced_roles_is_bound_no_more(
    db: Session, beat_role: str, roles: Roles
) -> None:
    """As which of them Beat connects, nobody has said."""
    first, second = beat_role, roles("second")
    fence(db, second)
    assert (is_fenced(db), health(db)) == (True, [])
    db.execute(f"ALTER ROLE {second} BYPASSRLS")
    ((problem, detail),) = health(db)
    assert problem == "unfenced"
    assert f"role {second} was fenced" in detail
    assert (is_fenced(db), add(db, "meanwhile")) == (False, False)
    db.execute("SELECT * FROM periodic_schedule.attach()")  # what it cannot mend, it leaves
    assert not is_fenced(db)
    db.execute(f"DROP OWNED BY {second}")  # it is no Beat's any more
    assert (is_fenced(db), health(db)) == (True, [])
    with session_of(db, first) as session:
        assert seen(session) == []


# -- An operator's word


def word(db: Session) -> list[bool]:
    return [
        said
        for (said,) in db.execute(
            "SELECT beat_is_stopped_at IS NOT NULL FROM _periodic_schedule.installation"
        )
    ]


def test_a_fence_that_is_gone_without_a_trace(db: Session, beat_role: str) -> None:
    """DROP OWNED takes policy and grant: nothing says which role was fenced."""
    db.execute(f"DROP OWNED BY {beat_role}")
    ((problem, detail),) = health(db)
    assert problem == "unfenced"
    assert detail.startswith("there is no fence, and nobody has said that Beat is stopped")
    assert add(db, "meanwhile") is False
    db.execute(detail.rpartition("and SELECT")[2].join(["SELECT", ""]).encode())
    assert (health(db), mirror(db, "pg_owned", "meanwhile")) == ([], True)
    assert add(db, "afterwards") is True


def test_new_schedules_alone_need_a_fence(db: Session, roles: Roles) -> None:
    """After adopt() of all where there was none."""
    role = roles("beat")
    fence(db, role)
    db.execute("SELECT periodic_schedule.adopt()")
    db.execute(f"DROP OWNED BY {role}")
    assert [problem for problem, _ in health(db)] == ["unfenced"]
    db.execute("SELECT periodic_schedule.release()")
    assert health(db) == []


@pytest.mark.parametrize("rows", [1, 2])
def test_the_word_lasts_until_beat_is_to_run_again(db: Session, roles: Roles, rows: int) -> None:
    """rows: of installation, where a restore has brought one."""
    role = roles("beat")
    if rows == 2:
        db.execute(
            "INSERT INTO _periodic_schedule.installation (beat_schema, beat_tables)"
            " SELECT beat_schema, beat_tables FROM _periodic_schedule.installation"
        )
    add(db, "t")
    add(db, "u")
    names = "ARRAY(SELECT pipeline_id FROM pg_periodic_schedule WHERE task_name = 't')"

    def problems() -> list[str]:
        return [problem for problem, _ in health(db)]

    # Some; and all, which leaves others without a fence where one is Beat's again.
    for who, others, released in ((names, ["left_to_beat"], []), ("NULL", [], ["unfenced"])):
        db.execute(f"SELECT periodic_schedule.adopt({who}, beat_is_stopped => true)".encode())
        assert (word(db), problems()) == ([True] * rows, others)
        db.execute(f"SELECT periodic_schedule.release({names})".encode())
        assert (word(db), problems()) == ([False] * rows, released)
        db.execute("SELECT periodic_schedule.release()")
        assert (word(db), health(db)) == ([False] * rows, [])
    adopt(db)
    fence(db, role)  # which is for a Beat that runs
    assert (word(db), health(db), add(db, "fenced")) == ([False] * rows, [], True)
    # Behind a fence Beat may be started again after this, be it one that is broken by now.
    for broken in (False, True):
        if broken:
            db.execute(f"ALTER TABLE {TASKS} DISABLE ROW LEVEL SECURITY")
        db.execute(f"SELECT periodic_schedule.adopt({names}, beat_is_stopped => true)".encode())
        assert (word(db), len(health(db))) == ([False] * rows, broken)
    adopt(db)
    assert word(db) == [True] * rows
    if rows == 2:  # one that says so is enough
        db.execute(
            "UPDATE _periodic_schedule.installation SET beat_is_stopped_at = NULL"
            " WHERE ctid = (SELECT min(ctid) FROM _periodic_schedule.installation)"
        )
    db.execute("SELECT periodic_schedule.unfence_beat()")
    assert (health(db), add(db, "stopped")) == ([], True)
    db.execute("SELECT count(*) FROM periodic_schedule.detach()")
    assert word(db) == [False] * rows


def test_a_release_of_nothing_takes_no_word_back(db: Session) -> None:
    """Nobody has said that there is a Beat."""
    adopt(db)
    for none in ("'{}'", "ARRAY[gen_random_uuid(), NULL]"):
        db.execute(f"SELECT periodic_schedule.release({none})".encode())
        assert (word(db), health(db), add(db, none)) == ([True], [], True)


@pytest.mark.parametrize("fenced", [True, False])
def test_a_beat_that_runs_though_it_is_said_to_be_stopped(
    db: Session, roles: Roles, fenced: bool
) -> None:
    """Whose schedules run, that Postgres does not fire."""
    role = roles("beat")
    add(db, "Beat's")
    add(db, "ours")
    ours = "ARRAY(SELECT pipeline_id FROM pg_periodic_schedule WHERE task_name = 'ours')"
    if fenced:
        fence(db, role)
    # What it had run before, it has saved in time.
    db.execute(f"UPDATE {TASKS} SET last_run_at = now(), total_run_count = 1")
    db.execute(f"SELECT periodic_schedule.adopt({ours}, beat_is_stopped => true)".encode())
    if fenced:
        assert health(db) == []
        db.execute("UPDATE _periodic_schedule.installation SET beat_is_stopped_at = now()")
    ((problem, detail),) = health(db)
    assert problem == "left_to_beat"
    assert "nobody fires them" in detail
    db.execute(f"UPDATE {TASKS} SET last_run_at = now() WHERE name = 'Beat''s'")
    ((problem, detail),) = health(db)
    assert "but Beat's, which Postgres does not fire, ran at" in detail
    if fenced:  # each has its own
        assert problem == "left_to_beat"
        db.execute(detail[detail.index("SELECT periodic_schedule.fence_beat") :].encode())
        assert word(db) == [False]
    else:
        assert (problem, "Beat may fire what Postgres fires too" in detail) == ("unfenced", True)
        db.execute(detail[detail.index("SELECT * FROM periodic_schedule.adopt") :].encode())
        assert word(db) == [True]
    assert health(db) == []


def test_the_fence_stays_while_it_is_needed(db: Session, beat_role: str) -> None:
    for _ in range(2):
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState) as refused:
            db.execute("SELECT periodic_schedule.unfence_beat()")
        said = refused.value.diag
        assert said.message_detail
        assert is_fenced(db)
        hints = [f"SELECT {part.partition(';')[0]}" for part in
                 str(said.message_hint).split("SELECT ")[1:]]  # fmt: skip
    stop, release = hints
    for statement in (stop, release):
        with db.transaction(force_rollback=True):
            db.execute(statement.encode())
            db.execute("SELECT periodic_schedule.unfence_beat()")
            assert (is_fenced(db), health(db)) == (False, [])
    with session_of(db, beat_role) as session:
        assert seen(session) == []


@pytest.mark.parametrize("first", ["adopt", "unfence"])
def test_adopted_while_the_fence_is_taken_down(
    db: Session, roles: Roles, connect: Callable[..., Session], first: str
) -> None:
    """Whoever comes second sees what the first has done."""
    fence(db, roles("beat"))
    add(db, "t")
    calls = {
        "adopt": "SELECT done FROM periodic_schedule.adopt("
        "ARRAY(SELECT pipeline_id FROM pg_periodic_schedule))",
        "unfence": "SELECT periodic_schedule.unfence_beat()",
    }
    one, other = connect(), connect(autocommit=True)
    one.execute(calls[first].encode())
    (second,) = calls.keys() - {first}
    outcome: list[Any] = []

    def call() -> None:
        try:
            outcome.extend(other.execute(calls[second].encode()).fetchall())
        except psycopg.Error as error:
            outcome.append(type(error))

    thread = threading.Thread(target=call)
    thread.start()
    waits = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid = %s"
    wait_for(lambda: db.execute(waits, [other.info.backend_pid]).fetchall())
    one.commit()
    thread.join()
    if first == "adopt":
        assert outcome == [psycopg.errors.ObjectNotInPrerequisiteState]
    else:
        assert outcome == [(False,)]
    assert is_fenced(db) is mirror(db, "pg_owned", "t")
    assert health(db) == []
