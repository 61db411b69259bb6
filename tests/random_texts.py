"""Random texts for every public function that reads one, and what a session then weighs."""

import random
from pathlib import Path
from typing import Any

import psycopg
from celery_crontab import FIELDS
from differential import random_case

Session = psycopg.Connection[Any]
WORDS = ["@every", "@at", "@solar", "@daily", "sunrise", "solar_noon", "dusk_civil", "seconds"]
WORDS += ["days", "89.99", "-90", "1e308", "nan", "inf", "1_0", "0x10", "Europe/Berlin", "{0}"]
WORDS += ["../../etc/passwd", "/etc/passwd", "__import__('os')", "$(id)", "'; DROP TABLE x; --"]
WORDS += ["2026-12-01T09:00:00Z", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00Z", "2026-W01"]
WORDS += ["9" * 300, "-" * 300, "," * 300, "*/" * 200, "%s", "\\x00"]
WORDS += ["\u0663", "\u00e9", "\U0001f600", "\u202e", "\ufeff"]
CHARACTERS = "0123456789-*/,@# \t\nLW?abcdefghijklmnopqrstuvwxyz.:+_ZT\u00e9\u0663"


def odd_text(chance: random.Random) -> str:
    """Up to 600 characters: lists of many ranges, words in wrong places, noise."""
    kind = chance.randrange(5)
    if kind == 0:
        text = " ".join(random_case(chance).fields)
        where = chance.randrange(len(text) + 1)
        text = text[:where] + chance.choice(CHARACTERS) + text[where + chance.randrange(2) :]
    elif kind == 1:
        text = " ".join(chance.choice(WORDS) for _ in range(chance.randint(1, 8)))
    elif kind == 2:
        text = "".join(chance.choice(CHARACTERS) for _ in range(chance.randint(0, 600)))
    elif kind == 3:
        text = " ".join(
            ",".join(
                "{}-{}/{}".format(
                    *chance.choices(range(f.low, f.high + 1), k=2), chance.randint(1, 9)
                )
                for _ in range(12)
            )
            for f in FIELDS
        )
    else:
        text = chance.choice(("@every {} {}", "@at {} {}", "@solar {} {} 0", "0 0 {} {} *")).format(
            chance.choice(WORDS), chance.choice(WORDS)
        )
    return text[:600].replace("\x00", "")


Meaning = tuple[frozenset[int], ...]
WEEK = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
ALL_DAYS = frozenset(range(7))


def plain_field(chance: random.Random, low: int, high: int) -> tuple[str, frozenset[int]]:
    """What every cron means alike."""
    if chance.random() < 0.4:
        return "*", frozenset(range(low, high + 1))
    first, last = sorted(chance.sample(range(low, high + 1), 2))
    step = chance.randint(2, 5)
    text, values = chance.choice(
        (
            (str(first), [first]),
            (f"{first},{last}", [first, last]),
            (f"{first}-{last}", [*range(first, last + 1)]),
            (f"{first}-{last}/{step}", [*range(first, last + 1, step)]),
            (f"*/{step}", [*range(low, high + 1, step)]),
        )
    )
    return text, frozenset(values)


def decorated(chance: random.Random) -> tuple[str, Meaning | None]:
    """A crontab as other software has it, and what it means; None: Celery cannot say that."""
    limits = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
    fields = [plain_field(chance, low, high) for low, high in limits]
    texts, values = [text for text, _ in fields], [values for _, values in fields]
    known = True
    # Days of the month or of the week, by name, since 1 is a Sunday for some.
    if texts[2] != "*" or chance.random() < 0.5:
        texts[4], values[4] = chance.choice(("*", "?")), ALL_DAYS
    else:
        texts[2] = chance.choice(("*", "?"))
        first, last = sorted(chance.sample(range(7), 2))
        span = ALL_DAYS & frozenset(range(first, last + 1))
        texts[4], values[4] = f"{WEEK[first]}-{WEEK[last]}", span
        if chance.random() < 0.3:
            week = chance.randint(1, 5)
            texts[4], values[4] = f"{WEEK[first]}#{week}", frozenset([first])
            values[2] = frozenset(range(week * 7 - 6, min(week * 7, 31) + 1))
        elif chance.random() < 0.3:
            comma = chance.choice((",", ", "))
            texts[4] = f"{WEEK[first].title()}{comma}{WEEK[last].upper()}"
            values[4] = frozenset((first, last))
        elif chance.random() < 0.2:
            texts[4], known = f"{WEEK[first].upper()}L", False
    if chance.random() < 0.1:
        texts[2], texts[4], known = chance.choice(("L", "LW", "15W", "L-3")), "?", False
    if chance.random() < 0.1:
        texts[0], values[0] = "5/15", frozenset((5, 20, 35, 50))
    kind = chance.randrange(6)
    if kind in (0, 1):
        second = chance.choice(("0", "00", "0", "*/30", "15", "*"))
        texts.insert(0, second)
        known &= second in ("0", "00")
    if kind in (1, 2):
        year = chance.choice(("*", "*", "2027", "2026-2030", "*/2"))
        texts.append(year)
        known &= year == "*"
    if kind == 3:
        texts.append("0")
    if chance.random() < 0.3:
        texts = [text.upper() for text in texts]
    return " ".join(texts), tuple(values) if known else None


CALLS = (
    "SELECT periodic_schedule.next_run_at(%(cron)s, %(zone)s, %(after)s)",
    "SELECT periodic_schedule.next_runs(%(cron)s, %(zone)s, %(after)s, 3)",
    "SELECT periodic_schedule.validate(%(cron)s, %(zone)s)",
    "SELECT periodic_schedule.describe(%(cron)s, %(zone)s)",
    "SELECT periodic_schedule.describe(%(cron)s)",
)
AFTER = ("2026-11-24T12:00Z", "infinity", "-infinity", "4713-01-01 BC", "9999-12-31T23:59Z")


def resident(db: Session) -> int:
    """Memory of the session's process at its highest, in kB."""
    row = db.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    lines = Path(f"/proc/{row[0]}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
