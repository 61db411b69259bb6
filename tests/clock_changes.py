"""Changes of the clocks, and what runs around each by Debian cron's rule: a walk through the
minutes, which both engines are held against."""

import datetime
import zoneinfo
from typing import NamedTuple

from celery_crontab import Crontab
from zones import offset_at, transition_between

UTC = datetime.UTC
DAY = 86_400
HOURS = 3600


def epoch(text: str) -> int:
    return int(datetime.datetime.fromisoformat(text).timestamp())


class Change(NamedTuple):
    """The offset from UTC before and after an instant, in seconds."""

    at: int
    before: int
    after: int


def changes(name: str, first: int = 2000, last: int = 2040) -> list[Change]:
    """All changes of a zone's offset in these years."""
    zone = zoneinfo.ZoneInfo(name)
    found: list[Change] = []
    low, stop = epoch(f"{first}-01-01T00:00Z"), epoch(f"{last + 1}-01-01T00:00Z")
    before = offset_at(zone, low)
    for high in range(low + DAY, stop, DAY):
        after = offset_at(zone, high)
        if after != before:
            found.append(Change(transition_between(zone, high - DAY, high), before, after))
        before = after
    return found


FIXED = ("30 1 * * *", "0,30 2,3 * * *", "15 0,12,23 * * *", "10-50/20 0-23/1 * * *", "0 0 * * 0,1")
REAL_TIME = ("*/20 * * * *", "*/30 0-3 * * *", "25 */2 * * *", "5,*/45 1,2 * * sat-mon")
AROUND = 4 * HOURS


def walked(crontab: Crontab, change: Change, low: int, high: int) -> list[int]:
    """The runs in (low, high] by the rule, minute by minute.  No other change may be near."""

    def matches(wall: int) -> bool:
        shown = datetime.datetime.fromtimestamp(wall, UTC)
        parts = (shown.minute, shown.hour, shown.day, shown.month, shown.isoweekday() % 7)
        return all(part in values for part, values in zip(parts, crontab.values, strict=True))

    runs: list[int] = []
    for instant in range(low + 60 - low % 60, high + 1, 60):
        offset = change.before if instant < change.at else change.after
        repeated = instant >= change.at and instant + offset < change.at + change.before
        if matches(instant + offset) and (crontab.follows_real_time or not repeated):
            runs.append(instant)
    gap = range(change.at + change.before, change.at + change.after, 60)
    if (
        not crontab.follows_real_time
        and change.at not in runs
        and change.after - change.before < 3 * HOURS
        and any(map(matches, gap))
    ):
        runs.append(change.at)
    return sorted(runs)
