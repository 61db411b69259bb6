"""Messages to a real RabbitMQ, with its answer to each, as our scheduler sends them, or without."""

import sys

import throwaway
from harness import Report, alternate, rates
from peers import scheduler
from stage import Stage

sys.path.append(str(throwaway.ROOT / "tests"))
from rabbit import Rabbit

BATCH = 100  # of our scheduler, unless told otherwise


def measure(stage: Stage) -> Report:
    stage.create("confirms")
    broker = Rabbit()
    try:
        given = {"batch": BATCH, "broker": broker.url}
        with (
            scheduler(stage, "confirms", "publish", confirms=True, **given) as ours,
            scheduler(stage, "confirms", "publish", confirms=False, **given) as bare,
        ):
            seen = alternate(
                {"ours": lambda _: float(ours()), "bare": lambda _: float(bare())},
                max(5, stage.rounds // 5),
                warm_up=5,
            )
    finally:
        broker.close()
    return Report(
        [
            rates(
                f"messages sent and confirmed, batches of {BATCH}",
                BATCH,
                seen["ours"],
                seen["bare"],
                peer="the same without confirms",
                must="≥ 0.8x",
                sizes={"batch": BATCH},
            )
        ]
    )
