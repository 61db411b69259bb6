"""Random sequences of ticks, edits, pauses, policies, saves and hand-overs: after each step the
mirror is what would be computed anew, nothing is pending, and what was due is no longer."""

import datetime
import random
from typing import Any

import psycopg
import pytest
from conftest import (
    ENGINE,
    drift,
    insert_clocked,
    insert_crontab,
    insert_interval,
    insert_task,
    mirror,
    pending,
)
from ticking import TASKS, adopt, set_policy, tick

Session = psycopg.Connection[Any]
SECOND = datetime.timedelta(seconds=1)
CRONTABS = ("* * * * *", "*/7 * * * *", "30 1 * * *", "0 0 29 2 *", "15 2 * * 0")
ZONES = ("UTC", "America/New_York", "Australia/Lord_Howe", "Europe/Berlin")
INTERVALS = (
    (10, "seconds"),
    (1, "days"),
    (90, "minutes"),
    (2900000, "days"),
    (999, "microseconds"),
)
STEPS = (1e-6, 1.0, 61.0, 3600.0, 86400.0 * 40)


class Play:
    """One task, its clock, and what has been done to it."""

    def __init__(self, db: Session, seed: int) -> None:
        self.db, self.choice = db, random.Random(seed)  # noqa: S311
        self.now: datetime.datetime = db.execute("SELECT clock_timestamp()").fetchall()[0][0]
        columns = self.schedule() | {
            "one_off": self.choice.random() < 0.3,
            "start_time": self.moment(),
            "expires": self.moment(),
            "last_run_at": self.choice.choice([None, None, self.now - 18000 * SECOND]),
        }
        self.log: list[Any] = [seed, columns]
        insert_task(db, "t", **columns)
        adopt(db)

    def schedule(self) -> dict[str, Any]:
        columns: dict[str, Any] = dict.fromkeys(
            ("crontab_id", "interval_id", "clocked_id", "solar_id")
        )
        # The sun is not adopted by the engine sql.
        kind = self.choice.choice([*columns][: 3 if ENGINE == "sql" else 4])
        if kind == "crontab_id":
            crontab, zone = self.choice.choice(CRONTABS), self.choice.choice(ZONES)
            columns[kind] = insert_crontab(self.db, crontab, zone)
        elif kind == "interval_id":
            columns[kind] = insert_interval(self.db, *self.choice.choice(INTERVALS))
        elif kind == "clocked_id":
            delay = self.choice.choice([-99999, -1, 0, 30, 4000])
            columns[kind] = insert_clocked(self.db, self.now + delay * SECOND)
        else:
            columns[kind] = self.db.execute(
                "INSERT INTO django_celery_beat_solarschedule (event, latitude, longitude)"
                " VALUES (%s, %s, 5) ON CONFLICT (event, latitude, longitude)"
                " DO UPDATE SET event = excluded.event RETURNING id",
                [
                    self.choice.choice(["sunrise", "solar_noon", "dusk_civil"]),
                    self.choice.choice([52.37, 67.4, -80]),
                ],
            ).fetchall()[0][0]
        return columns

    def moment(self) -> datetime.datetime | None:
        delay = self.choice.choice([None, None, -3600, -1, 0, 5, 100, 90000])
        return None if delay is None else self.now + delay * SECOND

    def update(self, columns: dict[str, Any]) -> dict[str, Any]:
        names = ", ".join(f"{name} = %s" for name in columns)
        self.db.execute(f"UPDATE {TASKS} SET {names}", list(columns.values()))
        return columns

    def tick(self) -> Any:
        self.now += self.choice.choice([*STEPS, self.choice.random() * 1000]) * SECOND
        rows = tick(self.db, self.now)
        run = mirror(self.db, "next_run_at", "t")
        owned = mirror(self.db, "pg_owned", "t")
        assert run is None or run > self.now or not owned, self.log
        return self.now, rows[:3]

    def set_policy(self) -> Any:
        values = {
            "misfire": self.choice.choice(["one", "skip", "all"]),
            "misfire_age": self.choice.choice(["0", "1 minute", "1 day", "100 years"]),
            "misfire_count": self.choice.choice([1, 3, 1000]),
            "overlap": self.choice.choice(["allow", "skip", "buffer_one"]),
            "spread": self.choice.choice(["0", "40 s", "1 day"]),
        }
        set_policy(self.db, "t", **values)
        return values

    def edit(self) -> Any:
        return self.update(self.schedule())

    def edit_bounds(self) -> Any:
        bounds: dict[str, Any] = {"start_time": self.moment(), "expires": self.moment()}
        return self.update(bounds | {"one_off": self.choice.random() < 0.3})

    def pause_by_save(self) -> Any:
        return self.update({"enabled": False, "last_run_at": None})

    def toggle(self) -> Any:
        return self.db.execute(f"UPDATE {TASKS} SET enabled = NOT enabled").rowcount

    def save_runs(self) -> Any:
        return self.db.execute(
            "SELECT _periodic_schedule.save_runs_at(%s, 1000)", [self.now]
        ).rowcount

    def release(self) -> Any:
        self.db.execute("SELECT periodic_schedule.release()")
        if again := self.choice.random() < 0.8:
            adopt(self.db)
        return again

    def finish(self) -> Any:
        return self.db.execute(
            "SELECT periodic_schedule.finish(id, token)"
            " FROM _periodic_schedule.take_at(%s, 'w', 100, '1 minute')",
            [self.now],
        ).rowcount

    def step(self) -> None:
        steps = (
            *[self.tick] * 6,
            *(self.set_policy, self.edit, self.edit_bounds, self.pause_by_save, self.toggle),
            *(self.save_runs, self.release, self.finish),
        )
        step = self.choice.choice(steps)
        self.log.append((step.__name__, step()))
        assert (pending(self.db), drift(self.db)) == ([], []), "\n".join(map(str, self.log))


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_random_sequences(db: Session, zone: str) -> None:
    db.execute(f"SET timezone = '{zone}'")
    for seed in range(60):
        db.execute(f"DELETE FROM {TASKS}; DELETE FROM periodic_schedule.firing")
        play = Play(db, seed + (1000 if zone == "UTC" else 0))
        for _ in range(12):
            play.step()
