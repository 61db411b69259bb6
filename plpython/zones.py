"""Time zones: ``zoneinfo`` on the tz database of the operating system or, for what that lacks, of
Python's tzdata package.

Instants are whole seconds since 1970 in UTC.  "Wall" values are readings of the local clock,
expressed the same way, as if the clock on the wall showed UTC.  Schedules count in microseconds,
as a timestamptz does.
"""

import datetime
import functools
import os
import re
import zoneinfo

from celery_crontab import ScheduleError, quoted

UTC = datetime.UTC
SECOND = 1_000_000  # in microseconds
DAY = 86_400  # in seconds
# No dots and no leading slash: a name is never a path.
ZONE_NAME = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", re.ASCII)
# Copies of the database, one of them with leap seconds; and what is another zone on each machine.
NO_ZONES = ("posix/", "right/", "posixrules", "localtime", "Factory")


@functools.cache
def zone_names() -> frozenset[str]:
    """All zones.  It reads every file there is of them, so it is asked last."""
    names = zoneinfo.available_timezones()
    return frozenset(name for name in names if not name.startswith(NO_ZONES))


def is_zone(name: str) -> bool:
    """A name that could be a path, or a module, is never looked up."""
    if len(name) > 64 or not ZONE_NAME.fullmatch(name) or name.startswith(NO_ZONES):
        return False
    files = (os.path.join(place, name) for place in zoneinfo.TZPATH)
    return any(map(os.path.isfile, files)) or name in zone_names()


@functools.lru_cache(maxsize=1024)
def load_zone(name: str) -> zoneinfo.ZoneInfo:
    """The tz database's zone.  Raises ScheduleError."""
    tz_database()  # from here on it says of which release this session's zones are
    try:
        if is_zone(name):
            return zoneinfo.ZoneInfo(name)
    except (ValueError, OSError):
        pass  # a file that is no zone
    raise ScheduleError(
        f"time zone {quoted(name)} is not known",
        "The tz database of the server has no zone of that name.",
        "Use an IANA name such as Europe/Berlin or UTC.",
        "timezone",
    )


@functools.cache
def tz_database() -> tuple[str, str]:
    """(where the tz database is, its version), as when the session read its first zone."""
    for place in zoneinfo.TZPATH:
        if os.path.exists(os.path.join(place, "UTC")):
            try:
                with open(os.path.join(place, "tzdata.zi"), encoding="ascii") as file:
                    return place, file.readline().removeprefix("# version ").strip()
            except OSError:
                return place, "unknown"
    import tzdata  # zoneinfo itself falls back on it

    return "Python package tzdata", tzdata.IANA_VERSION


def digest_of(name: str) -> str:
    """Of what a zone's clocks show each fortnight from 2025 to 2033, as sql_zone_digest()."""
    import hashlib

    zone = load_zone(name)
    shown = " ".join(str(offset_at(zone, at)) for at in range(1735700400, 1988150401, 1209600))
    return hashlib.md5(shown.encode(), usedforsecurity=False).hexdigest()


def differing_zones(names: list[str], digests: list[str]) -> list[str]:
    """The zones that only one tz database has, ours or this one, or whose clocks differ."""
    theirs = dict(zip(names, digests, strict=True))
    same = {name for name in theirs if is_zone(name) and digest_of(name) == theirs[name]}
    return sorted((zone_names() | theirs.keys()) - same)


def in_microseconds(moment: datetime.datetime) -> int:
    """A moment with its offset, exactly: a float of this size has no microseconds."""
    since = moment - datetime.datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * DAY + since.seconds) * SECOND + since.microseconds


def offset_at(zone: zoneinfo.ZoneInfo, instant: int) -> int:
    """UTC offset in seconds in force at an instant."""
    offset = datetime.datetime.fromtimestamp(instant, UTC).astimezone(zone).utcoffset()
    assert offset is not None
    return offset.days * DAY + offset.seconds


def instant_of(zone: zoneinfo.ZoneInfo, wall: int, fold: int) -> int:
    """The instant at which the clock shows ``wall``, on its first (0) or second (1) pass.

    For a wall time that is skipped, PEP 495 gives an instant after the gap (0) or before it (1).
    """
    local = datetime.datetime.fromtimestamp(wall, UTC).replace(tzinfo=zone, fold=fold)
    return int(local.timestamp() // 1)


def transition_between(zone: zoneinfo.ZoneInfo, low: int, high: int) -> int:
    """The instant in (low, high] from which high's offset is in force."""
    before = offset_at(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        if offset_at(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high
