"""A stock Beat behind the fence hands over and gets back: real processes, real time."""

import functools
import itertools
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from brokers import wait_for
from conftest import drift, insert_crontab, insert_interval, insert_task, mirror, pending
from places import SEEN_AFTER, TASKS, Place, Roles, Session, fence, minute_of, times, utc


def as_role(orm: Any, role: str) -> None:
    orm.connection.close()
    orm.connection.settings_dict["USER"] = role


def until_adopted(place: Place, names: Sequence[str], seconds: float = 75) -> dict[str, float]:
    """As an operator does it: try again what was refused; when each was done."""
    done: dict[str, float] = {}

    def try_again() -> bool:
        left = [name for name in names if name not in done]
        refused = place.adopt(left)
        done.update(dict.fromkeys(set(left) - refused.keys(), time.time()))
        if refused:
            time.sleep(0.5)
        return not refused

    wait_for(try_again, seconds)
    return done


def until_released(place: Place, names: Sequence[str]) -> float:
    """Refused is what is being fired at that moment; when the last one was given back."""
    wait_for(lambda: place.release(names) == {}, 5)
    return time.time()


def run_columns(db: Session, name: str) -> tuple[float, int]:
    row = db.execute(
        "SELECT coalesce(extract(epoch FROM last_run_at), 0)::float8, total_run_count"
        f" FROM {TASKS} WHERE name = %s",
        [name],
    ).fetchone()
    assert row is not None
    last_run_at, count = row
    return last_run_at, count


def without_repeats(moments: list[float]) -> list[float]:
    """Now and then Beat by itself sends a run twice, when a change comes while it reloads."""
    return [
        at for number, at in enumerate(moments) if number == 0 or at > moments[number - 1] + 0.5
    ]


def test_a_fenced_beat_hands_over_and_gets_back(place: Place, roles: Roles, orm: Any) -> None:
    db, wire = place.db, place.wire
    role, application = roles("beat"), roles("application", more=", DELETE")
    fence(db, role)
    begun = time.time()
    crontab = insert_crontab(db, "* * * * *")
    minutes = [f"minute {number}" for number in range(6)]
    kept = ["kept minute", "kept second", "kept three"]
    short = ["every second", "every three", "every three too"]
    for name in ["kept minute", *minutes]:  # Beat saves after its first message
        insert_task(db, name, crontab_id=crontab, last_run_at=utc(begun - 120))
    for name, seconds in zip([*kept[1:], *short, "paused"], (1, 3, 1, 3, 3, 2), strict=True):
        insert_task(db, name, interval_id=insert_interval(db, seconds), last_run_at=utc(begun))

    often = "every thirty"  # the most often that has a moment
    insert_task(db, often, interval_id=insert_interval(db, 30), last_run_at=utc(begun - 20))

    # Nothing is owned: it fires everything.
    beat = place.stock(role)
    for name in [*minutes, *kept, *short, "paused"]:
        wait_for(functools.partial(wire.of, name))
    ours = place.ours()
    ours.wait_for_log("connected to")
    first_refusals = place.adopt(minutes)
    assert first_refusals.keys() == set(minutes)
    for refusal in first_refusals.values():  # what it has fired, it has not saved yet
        assert refusal.startswith(("due since", "due at"))
    adopted_at = until_adopted(place, minutes)

    # What is always about to be due needs beat_is_stopped, or a pause.
    for _ in range(3):
        refused = place.adopt([*short, "paused"])
        assert refused.keys() == {*short, "paused"}
        assert set(refused.values()) <= {
            "it runs too often for a live Beat to be told between two runs: stop Beat and use"
            " beat_is_stopped => true",
            "another session is writing it: try again",  # Beat saves its runs
        }
        time.sleep(0.2)
    db.execute(f"UPDATE {TASKS} SET enabled = false WHERE name = 'paused'")
    time.sleep(SEEN_AFTER)
    adopted_at |= until_adopted(place, ["paused"], 3)
    db.execute(f"UPDATE {TASKS} SET enabled = true WHERE name = 'paused'")
    wait_for(lambda: place.adopt(short, beat_is_stopped=True) == {}, 5)
    adopted_at |= dict.fromkeys(short, time.time())

    # Django, as another role, sees and edits what is owned.
    everything = db.execute(f"SELECT name FROM {TASKS} ORDER BY name").fetchall()
    as_role(orm, application)
    tasks = orm.PeriodicTask.objects
    assert list(tasks.order_by("name").values_list("name")) == everything
    assert tasks.filter(name__startswith="minute").select_related("crontab").count() == len(minutes)
    edited = tasks.get(name="minute 0")
    edited.args = '["edited"]'
    edited.save()
    tasks.filter(name="minute 1").update(enabled=False)
    tasks.get(name="minute 2").delete()
    created = tasks.create(name="created", task="app.task", interval_id=insert_interval(db, 3600))
    assert mirror(db, "pg_owned", "created") is False
    created.delete()
    as_role(orm, role)  # and Beat's role sees the others
    assert set(tasks.values_list("name", flat=True)) >= set(kept)
    assert not set(tasks.values_list("name", flat=True)) & adopted_at.keys()
    as_role(orm, application)
    assert mirror(db, "pg_owned", "minute 0")

    # Restarted, with static entries of which it cannot write one.  Not while it saves runs, as at
    # these edits, and when it is asked once more: of the schedule at which a stop interrupts it, it
    # forgets those not saved yet.
    again = "SELECT FROM _periodic_schedule.beat_reload WHERE again_at IS NOT NULL"
    wait_for(lambda: db.execute(again).fetchall() == [], 20)
    time.sleep(SEEN_AFTER)
    beat.stop()
    beat = place.stock(role, DJANGO_SETTINGS_MODULE="static_settings")
    beat.wait_for_log("Cannot add entry 'every second' to database schedule: IntegrityError")
    restarted_at = time.time()

    # Over a full minute that is Postgres's; and meanwhile one that runs often is asked for every 10
    # seconds, and nothing else makes Beat save its runs.
    owned_minute = minute_of(max(adopted_at.values())) + 1
    wait_for(lambda: time.time() > restarted_at + SEEN_AFTER, 10)
    while refused := place.adopt([often]):
        print(refused, utc(time.time()))
        assert time.time() < restarted_at + 90
        time.sleep(10)
    often_at = time.time()
    wait_for(lambda: time.time() > owned_minute * 60 + 2, 70)
    assert beat.process.poll() is None
    # Beat's tables are a superuser's here, and a plain role may write them.
    problems = db.execute("SELECT DISTINCT problem FROM periodic_schedule.health").fetchall()
    assert problems in ([], [("superuser_functions",)])
    owned = [name for name in adopted_at if name != "minute 2"]
    released_at = until_released(place, owned)
    given_back = {name: run_columns(db, name) for name in owned}
    for name in (*short, "paused"):
        wait_for(functools.partial(wire.since, name, released_at + 0.5), SEEN_AFTER + 3)
    wait_for(lambda: time.time() > (minute_of(released_at) + 1) * 60 + 2, 70)
    wait_for(lambda: place.by()[0][often], 30)
    beat.end()
    ours.stop()
    time.sleep(0.6)

    we, they = place.by()
    for name in owned:
        seen_at = adopted_at[name] + SEEN_AFTER
        assert [at - seen_at for at in times(they[name]) if seen_at < at < released_at] == []
        assert [at for at in times(we[name]) if not adopted_at[name] < at < released_at + 1] == []
    for name in ("minute 0", *minutes[3:]):
        by_minute = itertools.groupby(times(they[name]), minute_of)  # two runs, if about its start
        theirs = [at for _, same in by_minute for at in without_repeats(list(same))]
        fired = Counter(minute_of(at) for at in times(we[name]) + theirs)
        assert fired == dict.fromkeys(range(min(fired), max(fired) + 1), 1), name
        assert minute_of(we[name][0].at) == owned_minute
        assert max(fired) == minute_of(they[name][-1].at) == minute_of(released_at) + 1
    assert we["minute 1"] == []
    assert "created" not in we.keys() | they.keys()
    edited_args = "SELECT DISTINCT args FROM periodic_schedule.firing WHERE task_name = 'minute 0'"
    assert db.execute(edited_args).fetchall() == [('["edited"]',)]
    assert not [one for one in they[often] if one.at > often_at + SEEN_AFTER]
    sent = [at for at in without_repeats(times(they[often])) if at > restarted_at]
    pauses = [b - a for a, b in itertools.pairwise(sent + times(we[often]))]
    assert pauses
    assert all(28 < pause < 34 for pause in pauses), pauses
    # Not owned: fired all the while, by Beat alone, also while it lived on with less.
    for name, seconds in zip(kept, (60, 1, 3), strict=True):
        assert we[name] == []
        away = max(b - a for a, b in itertools.pairwise(times(they[name])))
        assert away < seconds + 8, name
    # The run columns go on from where the other one left them.
    for name in (*kept, "minute 0", *minutes[3:], "paused"):
        last_run_at, count = run_columns(db, name)
        repeats = len(they[name]) - len(without_repeats(times(they[name])))
        assert 0 <= len(we[name]) + len(they[name]) - count <= repeats, name
        assert abs(last_run_at - max(times(we[name] + they[name]))) < 1, name
    for name in owned:
        if name != "minute 1":
            assert run_columns(db, name)[0] > given_back[name][0] >= we[name][-1].at - 1.5, name
            assert run_columns(db, name)[1] > given_back[name][1] >= len(we[name]), name
    # With beat_is_stopped and a live Beat, both fire what is due every few seconds, until it looks.
    both = {
        name: [
            round(at - adopted_at[name], 1)
            for at in times(they[name])
            if adopted_at[name] < at < released_at
        ]
        for name in (*short, "paused")
    }
    assert both["paused"] == []
    print("by Beat too, seconds after adopt(beat_is_stopped => true):", both)
    assert (drift(db), pending(db)) == ([], [])
