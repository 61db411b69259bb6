"""Real schedulers beside ours: django-celery-beat's DatabaseScheduler, and celery-redbeat."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import throwaway
from harness import Curve, Report, Result, Side, alternate, faster, rates, seconds, slower
from stage import TASK, Stage, make_due, own, settle, shared, value
from ticks import relay

STOCK = "DatabaseScheduler"
MOST = 10.0  # seconds; who has not sent all by then has a rate all the same


def measure(stage: Stage) -> Report:
    with throwaway.redis() as redis:
        os.environ["REDIS_URL"] = redis
        results = sending(stage)
    changes, reloads = until_known(stage)
    remembered, curves = memory(stage)
    return Report(results + changes + remembered, [reloads, *curves])


@contextmanager
def scheduler(
    stage: Stage, database: str | int, command: str, **parameters: Any
) -> Iterator[Callable[[], Any]]:
    """beats.py in a process of its own; yields what asks it for its next answer.

    A stock Beat works without our triggers.
    """
    bare = command == "reload" or parameters.get("kind") == STOCK
    with subprocess.Popen(
        [sys.executable, Path(__file__).with_name("beats.py"), command],
        cwd=throwaway.SAMPLE,
        env={
            **os.environ,
            "DATABASE_URL": stage.url(database, bare=bare),
            "CELERY_BROKER_URL": parameters.pop("broker", "null://"),
            "DJANGO_SETTINGS_MODULE": "sample.settings",
            "PYTHONPATH": f"{throwaway.SAMPLE}:{throwaway.ROOT}",
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        answers = process.stdout

        def ask() -> Any:
            print(file=process.stdin, flush=True)
            line = answers.readline()
            assert line, "beats.py has failed, see above"
            return json.loads(line)

        print(json.dumps(parameters), file=process.stdin, flush=True)
        yield ask


def answer(stage: Stage, database: str | int, command: str, **parameters: Any) -> Any:
    """The only one."""
    with scheduler(stage, database, command, **parameters) as ask:
        return ask()


# -- Sending


def sending(stage: Stage) -> list[Result]:
    """Of each the seconds for one due schedule, for not all of them come to the end."""
    due = stage.middle(10_000)
    stage.create("due")
    with stage.connect("due") as db:
        db.execute("INSERT INTO django_celery_beat_intervalschedule VALUES (1, 1, 'days')")
        answers: dict[str, Any] = {}

        def celery(kind: str, _: int) -> float:
            make_due(db, due)
            seen = answer(stage, "due", "send", kind=kind, due=due, most=MOST)
            answers[kind] = seen
            return float(seen["sending"] / seen["count"])

        def by_sql(_: int) -> float:
            """As a relay does, but nothing is sent."""
            make_due(db, due)
            return seconds(relay, db, datetime.now(UTC)) / due

        kinds = ("ours", STOCK, "redbeat", "apply_async")
        sides: dict[str, Side] = {kind: partial(celery, kind) for kind in kinds}
        seen = alternate(sides | {"sql": by_sql}, max(1, stage.rounds // 150), warm_up=0)
    sizes = {"due": due}
    names = {"sql": "claim + ledger + advance + take + finish", "ours": "our Celery scheduler"}
    bounds = {
        ("sql", STOCK): ("≥ 20x", "≥ 50x"),
        ("sql", "redbeat"): ("≥ 3x", "≥ 10x"),
    }
    peers = {kind: f"{kind}, sending" for kind in kinds[1:]} | {
        "apply_async": "Celery's apply_async() alone"
    }
    results = []
    for ours, peer in [(ours, peer) for ours in names for peer in peers]:
        must, aim = bounds.get((ours, peer), ("", ""))
        saved = answers[peer]["count"] / (answers[peer]["sending"] + answers[peer]["saving"])
        results.append(
            rates(
                f"{names[ours]}, {due:,} due",
                1,
                seen[ours],
                seen[peer],
                peer=peers[peer],
                must=must,
                aim=aim,
                sizes=sizes,
                note=f"the peer sends {saved:.0f}/s if its saving of runs is counted",
            )
        )
    results += [
        slower(
            f"private memory of our scheduler, {due:,} sent",
            [answers["ours"]["kilobytes"] / 1024],
            [answers[peer]["kilobytes"] / 1024],
            scale=1,
            unit="MB",
            peer=peer,
            sizes=sizes,
        )
        for peer in (STOCK, "redbeat")
    ]
    return results


# -- A change


def until_known(stage: Stage) -> tuple[list[Result], Curve]:
    """A curve over the mix of schedules, of which Beat 2.9 loads those that are near their hour;
    and 20,000 with intervals, which it loads all."""
    results = [
        change(stage, size, shared(size) // 20 * 20 + 20, f"{size:,} of the mix")
        for size in stage.sizes
        if size <= 100_000
    ]
    points = [(r.sizes["schedules"], r.peer_measured.median) for r in results if r.peer_measured]
    size = min(20_000, stage.large)
    with stage.connect("due") as db:
        make_due(db, size, "1 hour")
    results.append(
        change(stage, "due", 20, f"{size:,} with intervals", must="≥ 100x", aim="≥ 1000x")
    )
    return results, Curve("scheduler", f"{STOCK}'s reload", "schedules", "ms", points)


def change(stage: Stage, database: str | int, task: int, which: str, **bounds: Any) -> Result:
    """From before the write until a scheduler knows: ours is notified, and asks next_wakeup().

    The task has an interval, as has the one 20 after it, which is ours.
    """
    with (
        stage.connect(database) as writer,
        stage.connect(database) as listener,
        scheduler(stage, database, "reload", task=task) as ask,
    ):
        settle(writer)
        own(writer)
        listener.execute("LISTEN periodic_schedule")

        def ours(_: int) -> float:
            def known() -> None:
                writer.execute(resume, [True], prepare=True)
                heard = list(listener.notifies(timeout=5, stop_after=1))
                listener.execute("SELECT periodic_schedule.next_wakeup()", prepare=True)
                assert heard, "the scheduler was not notified"

            resume = f"UPDATE {TASK} SET enabled = %s WHERE id = {task + 20}"
            writer.execute(resume, [False], prepare=True)
            list(listener.notifies(timeout=0.05))
            return seconds(known)

        seen = alternate({"ours": ours, STOCK: lambda _: float(ask())}, stage.few)
        schedules = value(writer, f"SELECT count(*) FROM {TASK}")
    return faster(
        f"a change, until the scheduler has it, {which}",
        seen["ours"],
        seen[STOCK],
        peer=f"{STOCK}'s reload, without up to 5 s until it looks",
        sizes={"schedules": schedules},
        **bounds,
    )


# -- Memory


def memory(stage: Stage) -> tuple[list[Result], list[Curve]]:
    """Of a scheduler that has sent as many as the smaller mirror has."""
    sizes = sorted({stage.small, stage.large})
    seen = {}
    for size in sizes:
        with stage.connect(size) as db:
            own(db)
            db.execute(
                "UPDATE pg_periodic_schedule SET next_run_at = now()"
                " WHERE enabled AND periodic_task_id <= %s",
                [stage.small],
            )
        for kind in ("ours", STOCK):
            seen[size, kind] = answer(stage, size, "memory", kind=kind, pause=3)
    total = {key: sum(parts.values()) / 1024 for key, parts in seen.items()}
    results = [
        slower(
            f"private memory of {what}, {stage.large:,} schedules against {stage.small:,}",
            [total[stage.large, kind]],
            [total[stage.small, kind]],
            scale=1,
            unit="MB",
            peer=f"at {stage.small:,}",
            must=must,
            sizes={"schedules": stage.large},
        )
        for kind, what, must in (
            ("ours", "our scheduler and its server process", "≤ 1.1x"),
            (STOCK, STOCK, ""),
        )
    ]
    curves = [
        Curve("memory", kind, "schedules", "MB", [(size, total[size, kind]) for size in sizes])
        for kind in ("ours", STOCK)
    ]
    return results, curves
