"""The sample project's settings, with a static entry that answers a stop with another error."""

import datetime
import time

from sample.settings import *  # noqa: F403


class Slow(datetime.timedelta):
    """As Django does where a stop leaves its connection busy: the stop is lost."""

    def total_seconds(self) -> float:
        try:
            print("it is being written", flush=True)
            time.sleep(30)
        except SystemExit:
            raise ValueError("not what the signal's handler raised") from None
        return super().total_seconds()


CELERY_BEAT_SCHEDULE = {"slow": {"task": "app.static", "schedule": Slow(seconds=1)}}
