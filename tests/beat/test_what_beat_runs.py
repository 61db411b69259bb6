"""What the real Beat makes of a row is what we send; what it would not send is not adopted."""

import datetime
import json
import logging
from collections.abc import Iterator
from typing import Any

import celery
import celery.beat
import pytest
from conftest import insert_crontab, insert_interval, insert_task, mirror, pending
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ticking import TASKS, Session, adopt, assert_in_sync, tick


def mark(kind: Any, value: Any) -> dict[str, Any]:
    return {"__type__": kind, "__value__": value}


UUID = {"hex": "12345678123412341234123456781234"}
TIMES = ["2026-11-27T10:00:00+01:00", "2026-11-27", "10:00", "20261127", "x"]
VALUES: dict[str, list[Any]] = {
    "bytes": ["", "ab", "\ud800", 1],
    "base64": ["", "/w==", "a", 1],
    "datetime": TIMES,
    "date": TIMES,
    "time": TIMES,
    "decimal": ["0", "0E-9", "1.5", 2, "sNaN", "x", {}],
    "uuid": [UUID, {"int": 1}, {"hex": "x"}, {"x": 1}, "x"],
    "set": [1],
    "Bytes": [1],
}
MARKED: list[dict[str, Any]] = [  # as kombu writes it, and what cannot be read
    *(mark(kind, value) for kind, values in VALUES.items() for value in values),
    mark(None, 1),
    mark([], 1),
    {"__type__": "bytes"},
    {**mark("bytes", "ab"), "x": 1},
    mark("bytes", mark("uuid", UUID)),
]
ODD = [
    *("", " ", "null", "0", "0.0", "-0", "1", "true", "false", "NaN", "-Infinity", '""', '"abc"'),
    *("[]", "{}", '{"a": 1}', '{"a": 1, "a": 2}', "[1]", "[[1, 2]]", '["ab"]', " [ 1 ] ", "[1,]"),
    *("[NaN]", "[1e999]", '["\\u0000"]', '["\\ud800"]', '["ä\\n"]', "\ufeff[]", "('a',)", "nope"),
    *(
        "[" * 900 + "]" * 900,
        '{"":' * 899 + "[]" + "}" * 899,
        "[" * 100_000,
        "[" + "9" * 4300 + "]",
        "[" + "9" * 4301 + "]",
    ),
    *map(json.dumps, MARKED),
    *(json.dumps([value]) for value in MARKED),
    json.dumps(dict.fromkeys(("workflow_id", "organization_id"), mark("uuid", UUID))),
    '{"\\u005f_type__": "x", "__value__": 1}',
]


def columns() -> st.SearchStrategy[str]:
    """JSON of every kind, some of it cut off, and other texts."""
    keys = st.sampled_from(("a", "b", "task", "", "workflow_id", "organization_id", "\ud800"))
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(MARKED)
    values = st.recursive(
        scalars | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=6,
    )
    written = st.builds(json.dumps, values, ensure_ascii=st.booleans()).filter(
        lambda text: not any("\ud800" <= character <= "\udfff" for character in text)
    )
    cut = st.builds(lambda text, end: text[:end], written, st.integers(0, 9))
    return st.sampled_from(ODD) | written | written | cut


def rows() -> st.SearchStrategy[list[tuple[str, str, str]]]:
    plain = st.just("[]"), st.just("{}")
    headers = st.sampled_from(("", "{}", '{"a": [1, "b"]}'))
    row = (
        st.tuples(columns(), plain[1], headers)
        | st.tuples(plain[0], columns(), headers)
        | st.tuples(*plain, columns())
    )
    return st.lists(row, min_size=20, max_size=40)


class Wire:
    """Celery's own way to a broker in memory, for Beat's entries and for ours."""

    def __init__(self) -> None:
        from pg_periodic_schedule.beat.broker import Broker

        self.app = celery.Celery("wire", broker="memory://", set_as_current=False)
        self.scheduler = celery.beat.Scheduler(self.app, lazy=True)
        self.broker = Broker(self.scheduler)

    def sent(self) -> Any:
        """The message that came, without what differs from run to run."""
        with self.app.connection_for_write() as connection:
            message = connection.default_channel.basic_get("celery", no_ack=True)
        if message is None:
            return None
        headers, properties = dict(message.headers), dict(message.properties)
        assert headers.pop("id") == headers.pop("root_id") == properties.pop("correlation_id")
        for key in ("reply_to", "delivery_tag", "expiration"):  # the last counts from now
            properties.pop(key, None)
        return message.body, headers, properties

    def by_beat(self, model: Any) -> Any:
        from django_celery_beat.schedulers import ModelEntry

        try:
            entry = ModelEntry(model, app=self.app)
        except Exception:  # ValueError: it is left out; any other ends the load of all
            return None
        if not entry.model.enabled:
            return None
        try:
            self.scheduler.apply_async(entry, advance=False)
        except celery.beat.SchedulingError:
            return None
        return self.sent()

    def by_us(self, firing: Any) -> Any:
        from pg_periodic_schedule.beat.message import entry_of

        self.broker.publish(entry_of(firing, self.app))
        return self.sent()


@pytest.fixture
def wire(orm: Any) -> Iterator[Wire]:
    assert orm  # Django is set up
    logging.disable()
    made = Wire()
    yield made
    made.broker.release()
    logging.disable(logging.NOTSET)


def taken(db: Session) -> list[Any]:
    from pg_periodic_schedule.beat.ledger import TAKE, Firing

    found = db.execute(TAKE, ["w", 1000, "1 minute"]).fetchall()
    return [Firing._make(row) for row in found]


def answers(db: Session) -> dict[str, tuple[bool, str]]:
    """What adopt() says of each, by the task's name."""
    found = db.execute(
        "SELECT m.task_name, a.done, a.reason"
        " FROM periodic_schedule.adopt(beat_is_stopped => true) AS a"
        " JOIN pg_periodic_schedule AS m USING (pipeline_id)"
    ).fetchall()
    return {name: (done, reason) for name, done, reason in found}


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(cases=rows())
@example(cases=[(text, "{}", "") for text in ODD])
@example(cases=[("[]", text, "") for text in ODD])
@example(cases=[("[]", "{}", text) for text in ODD])
def test_what_beat_sends_of_any_texts_is_what_we_send(
    db: Session, orm: Any, wire: Wire, cases: list[tuple[str, str, str]]
) -> None:
    db.execute(f"DELETE FROM {TASKS}")
    db.execute("SELECT periodic_schedule.release()")
    hourly = insert_interval(db, 1, "hours")
    ran = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=2)
    for number, (args, kwargs, headers) in enumerate(cases):
        insert_task(
            db,
            f"t{number}",
            task="scheduler.tasks.execute_pipeline_task",  # whose identity is in its arguments
            interval_id=hourly,
            last_run_at=ran,
            args=args,
            kwargs=kwargs,
            headers=headers,
        )
    said = answers(db)
    runs = dict(
        db.execute("SELECT task_name, next_run_at IS NOT NULL FROM pg_periodic_schedule").fetchall()
    )
    assert pending(db) == []
    tick(db)
    ours = {firing.task_name: wire.by_us(firing) for firing in taken(db)}
    for model in orm.PeriodicTask.objects.all():
        row = model.name, cases[int(model.name[1:])]
        theirs = wire.by_beat(model)
        done, reason = said[model.name]
        assert (done, runs[model.name]) == (theirs is not None,) * 2, (*row, reason, theirs)
        assert ours.get(model.name) == theirs, row
        assert done or reason.startswith("it cannot run: "), row


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"args": "1"}, "args is JSON but not an array"),
        ({"args": "[1"}, "args is not JSON"),
        ({"kwargs": "[1]"}, "kwargs is JSON but not an object"),
        ({"args": "[" * 960 + "]" * 960}, "args is "),  # whoever has called more reads less
        ({"kwargs": '{"":' * 901 + "0" + "}" * 901}, "kwargs is nested more than 900 levels deep"),
        ({"headers": "null"}, "headers is JSON but not an object"),
        (
            {"kwargs": '{"a": {"__type__": "date", "__value__": "secret"}}'},
            "kwargs has a __type__ that cannot be read",
        ),
        ({"crontab": "0 25 * * *"}, "crontab hour '25' is invalid"),
        ({"crontab": "0 0 31 2 *"}, "never matches"),
        ({"zone": "Mars/Olympus"}, "time zone 'Mars/Olympus' is not known"),
        ({"crontab_id": None}, "the task has 0 schedules"),
    ],
)
@pytest.mark.parametrize("enabled", [True, False])
def test_what_cannot_run_is_not_adopted(
    db: Session, columns: dict[str, Any], reason: str, enabled: bool
) -> None:
    columns = dict(columns)
    good = insert_crontab(db, "0 3 * * *")
    cron = columns.pop("crontab", "0 3 * * *")
    crontab = insert_crontab(db, cron, columns.pop("zone", "UTC"))
    insert_task(db, "bad", **({"crontab_id": crontab, "enabled": enabled} | columns))
    insert_task(db, "good", crontab_id=good)
    # An error that keeps it from nothing.
    insert_task(db, "no uuid", crontab_id=good, kwargs='{"workflow_id": "12"}', enabled=enabled)
    said = answers(db)
    done, why = said.pop("bad")
    assert not done
    assert why.startswith("it cannot run: ")
    assert reason in why
    assert "secret" not in why
    assert said == {"good": (True, "adopted"), "no uuid": (True, "adopted")}
    assert mirror(db, "pg_owned", "bad") is False
    # Mended, it is adopted; and stays so, whatever it is edited to.
    mend = "args = '[]', kwargs = '{}', headers = '{}', crontab_id = %s"
    db.execute(f"UPDATE {TASKS} SET {mend} WHERE name = 'bad'", [good])
    assert answers(db)["bad"] == (True, "adopted")
    db.execute(f"UPDATE {TASKS} SET args = '1' WHERE name = 'bad'")
    assert answers(db)["bad"] == (True, "owned before")
    assert_in_sync(db)


def test_columns_that_are_empty_or_out_of_range_are_sent_as_beat_sends_them(
    db: Session, orm: Any, wire: Wire
) -> None:
    hourly = insert_interval(db, 1, "hours")
    ran = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=2)
    later = ran + datetime.timedelta(days=30_000)
    cases: list[dict[str, Any]] = [
        *({"queue": value} for value in ("", "celery", None)),
        *({"exchange": value, "routing_key": value} for value in ("", "celery")),
        *({"priority": value} for value in (0, 255, 256, 2_147_483_647)),
        {"expires": later},
        {"expires": later, "expire_seconds": 1},
        {"task": ""},
        {"description": "x" * 10_000},
    ]
    for number, columns in enumerate(cases):
        insert_task(db, f"t{number}", interval_id=hourly, last_run_at=ran, **columns)
    adopt(db)
    tick(db)
    ours = {firing.task_name: wire.by_us(firing) for firing in taken(db)}
    theirs = {model.name: wire.by_beat(model) for model in orm.PeriodicTask.objects.all()}
    assert len(theirs) == len(cases)
    assert None not in theirs.values()
    assert ours == theirs


def test_what_has_no_run_for_another_reason_is_adopted(db: Session) -> None:
    crontab = insert_crontab(db, "0 3 * * *")
    insert_task(db, "expired", crontab_id=crontab, expires="2020-01-01T00:00Z")
    insert_task(db, "done", crontab_id=crontab, one_off=True, total_run_count=1)
    insert_task(db, "paused", crontab_id=crontab, enabled=False)
    adopt(db)


PERIODS = ("weeks", "days", "hours", "minutes", "seconds", "milliseconds", "microseconds")
NO_PERIODS = ("months", "years", "week", "Weeks", " days", "")


@pytest.mark.parametrize("every", [1, 3, 2_147_483_647, 0, -1])
def test_an_interval_is_what_a_timedelta_takes(
    db: Session, orm: Any, wire: Wire, every: int
) -> None:
    """Nothing and less than nothing too: a Beat that has such an interval does nothing else."""
    from django_celery_beat.schedulers import ModelEntry

    now = datetime.datetime.now(datetime.UTC)
    for period in (*PERIODS, *NO_PERIODS):
        insert_task(db, period, interval_id=insert_interval(db, every, period), last_run_at=now)
    said = answers(db)
    for model in orm.PeriodicTask.objects.all():
        done, reason = said[model.name]
        try:
            span = ModelEntry(model, app=wire.app).schedule.run_every
            next(iter([now + span]))
        except (TypeError, OverflowError):
            assert not done
            assert "is invalid" in reason
            continue
        if every < 1:
            assert not done
            assert "It takes" not in reason
            assert "is invalid" in reason
            continue
        assert (done, mirror(db, "next_run_at", model.name)) == (True, now + span), model.name
    assert (not any(done for done, _ in said.values())) == (every < 1)
