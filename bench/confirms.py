"""What RabbitMQ's answer to each message costs our scheduler."""

import sys
from datetime import UTC, datetime

import throwaway
from harness import Report, alternate, rates
from peers import scheduler
from stage import Stage, make_due, value
from ticks import TICK

sys.path.append(str(throwaway.ROOT / "tests"))
from rabbit import Rabbit

BATCH = 100  # of our scheduler, unless told otherwise
WARM_UP = 5


def measure(stage: Stage) -> Report:
    rounds = max(5, stage.rounds // 5)
    broker = Rabbit()
    try:
        with stage.connect(stage.create("confirms")) as db:
            db.execute("INSERT INTO django_celery_beat_intervalschedule VALUES (1, 1, 'days')")
            make_due(db, 2 * BATCH * (rounds + WARM_UP))
            while value(db, TICK, [datetime.now(UTC), 10_000]):
                pass
            db.execute("VACUUM ANALYZE")
            given = {"batch": BATCH, "broker": broker.url}
            with (
                scheduler(stage, "confirms", "relay", confirms=True, **given) as ours,
                scheduler(stage, "confirms", "relay", confirms=False, **given) as bare,
            ):
                seen = alternate(
                    {"ours": lambda _: float(ours()), "bare": lambda _: float(bare())},
                    rounds,
                    WARM_UP,
                )
            state = "SELECT count(*) FROM periodic_schedule.firing WHERE state <> 'finished'"
            assert value(db, state) == 0
    finally:
        broker.close()
    return Report(
        [
            rates(
                f"taken, sent to RabbitMQ, confirmed and finished, batches of {BATCH}",
                BATCH,
                seen["ours"],
                seen["bare"],
                peer="without its confirms",
                must="≥ 0.8x",
                sizes={"batch": BATCH},
            )
        ]
    )
