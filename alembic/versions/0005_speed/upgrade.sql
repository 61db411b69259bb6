-- sql/functions/access.sql
-- The one home of who may do what: grant_access() and the upgrade read it.
CREATE OR REPLACE FUNCTION periodic_schedule.access() RETURNS TABLE (kind text, privilege text, object text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT a.kind, a.privilege, o.object
    FROM (
        VALUES
        ('reader', 'SELECT', 'TABLE', ARRAY[
            'drift', 'pending_sync', 'firing', 'policy', 'due', 'lag', 'upcoming', 'missed', 'parity', 'health', 'metrics'
        ]),
        ('reader', 'EXECUTE', 'FUNCTION', ARRAY[
            'next_run_at', 'next_runs', 'validate', 'describe', 'preview', 'tz_database',
            'firing_id', 'next_wakeup', 'fenced', 'access', 'drift_rows', 'parity_rows', 'health_rows'
        ]),
        ('part', 'EXECUTE', 'FUNCTION', ARRAY[  -- what those are made of
            'load_python', 'load_explain', 'to_microseconds', 'from_microseconds', 'next_run_or_error', 'raise_error',
            'py_next_run_at', 'py_next_runs', 'py_validate', 'py_describe', 'py_local_times',
            'py_tz_database', 'runs_between', 'spread_offset', 'require_schedule'
        ]),
        ('part', 'SELECT', 'TABLE', ARRAY['policy']),  -- preview()
        ('ticker', 'EXECUTE', 'FUNCTION', ARRAY[
            'tick', 'take', 'finish', 'fail', 'reap', 'next_wakeup', 'fenced', 'save_runs', 'prune', 'adopt'
        ]),
        ('owner', 'EXECUTE', 'FUNCTION', ARRAY['adopt', 'release', 'run_now', 'backfill', 'reconcile']),
        ('owner', 'SELECT, INSERT, UPDATE, DELETE', 'TABLE', ARRAY['policy'])
    ) AS a (kind, privilege, type, names)
    CROSS JOIN LATERAL (
        SELECT format('FUNCTION %s', p.oid::regprocedure) AS object
        FROM pg_proc AS p
        WHERE a.type = 'FUNCTION' AND p.pronamespace = 'periodic_schedule'::regnamespace AND p.proname = ANY (a.names)
        UNION ALL
        SELECT format('TABLE periodic_schedule.%I', t.name)
        FROM unnest(a.names) AS t (name)
        WHERE a.type = 'TABLE'
    ) AS o
    UNION ALL
    SELECT k.kind, p.privilege, p.object
    FROM (VALUES ('reader'), ('ticker'), ('owner')) AS k (kind)
    CROSS JOIN (
        VALUES
        ('USAGE', 'SCHEMA periodic_schedule'),
        ('SELECT', 'TABLE @beat_schema@.pg_periodic_schedule')
    ) AS p (privilege, object)
$function$;
COMMENT ON FUNCTION periodic_schedule.access() IS
    'What the three kinds of roles may do: reader (look at everything, compute runs), ticker (tick, hand over, save runs), owner (adopt, release, policies, repair); and the parts that a reader''s functions call';

-- sql/functions/canonical_crontab.sql
CREATE OR REPLACE FUNCTION periodic_schedule.canonical_crontab(fields text[], OUT cron_string text, OUT error text)
LANGUAGE plpython3u STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
python = GD["periodic_schedule cbfffb2ea8a1c877"].grammar
try:
    return python.canonical_crontab(fields), None
except python.ScheduleError as error:
    return " ".join(fields), error.message
$python$;
COMMENT ON FUNCTION periodic_schedule.canonical_crontab(text[]) IS
    'The five columns of a crontab row (minute, hour, day of month, month, day of week) as one string that Celery reads the same way, or the reason why not';

-- sql/functions/describe.sql
CREATE OR REPLACE FUNCTION periodic_schedule.describe(cron_string text, locale text DEFAULT 'en_US')
RETURNS text
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    described record;
BEGIN
    PERFORM periodic_schedule.load_python();
    PERFORM periodic_schedule.load_explain();
    described := periodic_schedule.py_describe(cron_string, locale);
    IF described.error IS NOT NULL THEN
        PERFORM periodic_schedule.raise_error(described.error);
    END IF;
    RETURN described.words;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.describe(text, text) IS
    'A schedule in words, by cron-descriptor; locale is a language such as de or de_DE. Celery runs a crontab where both day_of_month and day_of_week match. Moments, the sun and microseconds are told in English. Raises SQLSTATE 22023 with DETAIL and HINT';

-- sql/functions/load_explain.sql
-- Apart from load_python(): to compile it is work that a session's first write need not wait for.
CREATE OR REPLACE FUNCTION periodic_schedule.load_explain() RETURNS void
LANGUAGE plpython3u STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
python = GD["periodic_schedule cbfffb2ea8a1c877"]
if hasattr(python, "explain"):
    return

def explain():
    """Schedules for people: what is wrong with one and what was meant, what it says in words, and which
    of its runs a clock change moves.

    What only people need is imported where it is used: the first run in a session does not wait for it.
    """

    import functools
    import re
    import zoneinfo
    from typing import Any

    from grammar import (
        DAYS_IN_MONTH,
        FIELDS,
        MONTHS,
        WEEKDAYS,
        Crontab,
        Field,
        ScheduleError,
        cron_field,
        missing_library,
        read_crontab,
    )
    from next_run import DEGREES, PERIODS, SECOND, SOLAR_EVENTS, load_schedule
    from zones import instant_of, load_zone, offset_at, zone_names

    # --- The nearest valid form --------------------------------------------------------------------

    MACROS = {
        "@yearly": "0 0 1 1 *",
        "@annually": "0 0 1 1 *",
        "@monthly": "0 0 1 * *",
        "@weekly": "0 0 * * 0",
        "@daily": "0 0 * * *",
        "@midnight": "0 0 * * *",
        "@hourly": "0 * * * *",
    }
    UNITS = {"week": ("days", 7), "millisecond": ("microseconds", 1000)} | {
        period.removesuffix("s"): (period, 1) for period in PERIODS
    }
    SHORT_UNITS = {"w": "week", "d": "day", "h": "hour", "m": "minute", "s": "second"}
    SHORT_UNITS |= {"ms": "millisecond", "us": "microsecond", "hr": "hour", "min": "minute"}
    NUMBER = re.compile(r"[0-9]{1,4}", re.ASCII)


    def closest(text: str, words: list[str], cutoff: float = 0.6) -> list[str]:
        """The words most like it, the best first."""
        import difflib

        return difflib.get_close_matches(text, words, n=3, cutoff=cutoff)


    @functools.cache
    def names_in_full() -> list[str]:
        """Months and days, as Celery reads them too."""
        import calendar

        full = [*calendar.month_name[1:], *calendar.day_name]
        return [*map(str.lower, full), *MONTHS, *WEEKDAYS]


    def is_valid(text: str, field: Field) -> bool:
        try:
            cron_field(text, field)
        except ScheduleError:
            return False
        return True


    def nearest_value(text: str, field: Field) -> str:
        """A number put into the field's range, a name spelt right."""
        if is_valid(text, field):
            return text
        if NUMBER.fullmatch(text):
            if field.low == 0 and int(text) == field.high + 1:  # 60 minutes, 24 hours, Sunday as 7
                return "0"
            return str(min(max(int(text), field.low), field.high))
        names = closest(text.lower(), names_in_full()) if len(text) < 20 else []
        return next((name for name in names if is_valid(name, field)), text)


    def nearest_part(part: str, field: Field) -> str:
        """One part of a list; '' where nothing is near."""
        part = part.strip()
        if is_valid(part, field):
            return part
        if part in ("?", "*/", "*/0"):
            return "*"
        if part == "L" and field.name == "day_of_month":
            return "28-31"
        value, slash, step = part.partition("/")
        first, dash, last = value.partition("-")
        low = nearest_value(first, field) if value != "*" else "*"
        if dash and first == str(field.low) and last == str(field.high + 1):  # 0-60, 0-24, 0-7
            low = "*"
        elif dash:
            low += "-" + nearest_value(last, field)
        elif slash and value != "*":  # n/s, from n on
            low = f"{low}-{field.high}"
        near = low + (f"/{step}" if step.strip("0") else "")
        if not is_valid(near, field):
            return ""
        return "*" if len(cron_field(near, field)[0]) > field.high - field.low else near


    def nearest_crontab(expression: str) -> str:
        texts = MACROS.get(expression.strip().lower(), expression).split()
        if len(texts) in (6, 7):  # Quartz and Spring begin with seconds, some end with a year
            texts = texts[1:6]
        texts = (texts + ["*"] * 5)[:5]
        nth = re.fullmatch(r"(\w{1,9})#([1-5])", texts[4])  # the second Monday; Celery takes both days
        if nth and texts[2] in ("*", "?"):
            week = int(nth[2])
            texts[2], texts[4] = f"{week * 7 - 6}-{min(week * 7, 31)}", nth[1]
        near = [
            ",".join(filter(None, (nearest_part(part, field) for part in text.split(","))))
            for text, field in zip(texts, FIELDS, strict=True)
        ]
        if all(near):
            days, months = (cron_field(near[n], FIELDS[n])[0] for n in (2, 3))
            longest = max(DAYS_IN_MONTH[month - 1] for month in months)
            if min(days) > longest:
                near[2] = str(longest)
        return " ".join(near)


    def nearest_interval(expression: str) -> str:
        match = re.fullmatch(r"@every\s+([0-9]{1,12})\s*([a-z]{1,13})", expression.strip().lower())
        if not match:
            return ""
        unit = SHORT_UNITS.get(match[2], match[2])
        close = closest(unit.removesuffix("s"), list(UNITS))
        if not close:
            return ""
        period, factor = UNITS[close[0]]
        return f"@every {max(int(match[1]), 1) * factor} {period}"


    def nearest_solar(expression: str) -> str:
        match = re.fullmatch(
            rf"@solar\s+([\w -]{{3,20}}?)[\s,]+({DEGREES})[\s,]+({DEGREES})",
            expression.strip(),
            re.ASCII,
        )
        if not match:
            return ""
        event = re.sub(r"\W", "_", match[1].lower())
        close = closest(event, list(SOLAR_EVENTS))
        place = [
            degrees if abs(float(degrees)) <= limit else str(limit if float(degrees) > 0 else -limit)
            for degrees, limit in ((match[2], 90), (match[3], 180))
        ]
        return " ".join(["@solar", *close[:1], *place])


    @functools.cache
    def zones_by_name() -> dict[str, str]:
        """All zones by their name in small letters, and by their last part."""
        names = sorted(zone_names())
        return {name.rpartition("/")[2].lower(): name for name in names} | {
            name.lower(): name for name in names
        }


    def nearest_zone(name: str) -> str:
        wanted = re.sub(r"\s+", "_", name.strip().lower())
        if not 1 < len(wanted) <= 40:
            return ""
        close = closest(wanted, list(zones_by_name()), cutoff=0.7)
        return zones_by_name()[close[0]] if close else ""


    def nearest_form(expression: str, zone: str, field: str | None) -> str:
        """What was meant, if it can be told: an expression, or a zone, that is valid."""
        if field == "timezone":
            return nearest_zone(zone)
        if not expression.strip() or len(expression) > 200:
            return ""
        kind = expression.lstrip().partition(" ")[0].lower()
        if kind == "@every":
            near = nearest_interval(expression)
        elif kind == "@solar":
            near = nearest_solar(expression)
        elif kind == "@at":
            near = "@at " + expression.strip()[len("@at") :].strip().rstrip("Zz") + "Z"
        else:
            near = nearest_crontab(expression)
        try:
            load_schedule(near, "UTC")
        except ScheduleError:
            return ""
        return near


    def validate(
        expression: str, zone: str
    ) -> tuple[bool, str | None, str | None, int | None, str | None]:
        """(valid, error, field, position, hint)"""
        try:
            load_schedule(expression, zone)
        except ScheduleError as error:
            near = nearest_form(expression, zone, error.field)
            hint = f"Did you mean {near}? {error.hint}" if near else error.hint
            return False, error.message, error.field, error.position, hint
        return True, None, None, None, None


    # --- In words ----------------------------------------------------------------------------------


    @functools.cache
    def locales() -> dict[str, str]:
        """The languages of cron-descriptor, by their name and by their language alone."""
        import pathlib

        import cron_descriptor

        folder = pathlib.Path(cron_descriptor.__file__).parent / "locale"
        names = sorted(path.stem for path in folder.glob("*.mo"))
        return {name.partition("_")[0]: name for name in names} | {name: name for name in names}


    def spell_field(text: str, values: set[int], field: Field) -> str:
        """A field without Celery's own spellings: names, wrapped ranges and steps on ranges."""
        size = field.high - field.low + 1
        if len(values) == size:
            return "*"
        step = re.fullmatch(r"\*/([1-9][0-9]?)", text)
        if step and size % int(step[1]) == 0 and len(values) > 1:  # else "every n" would not be true
            return text
        spans: list[list[int]] = []
        for value in sorted(values):
            if spans and spans[-1][-1] == value - 1:
                spans[-1].append(value)
            else:
                spans.append([value])
        return ",".join(
            f"{span[0]}-{span[-1]}" if len(span) > 2 else ",".join(map(str, span)) for span in spans
        )


    def describe(expression: str, locale: str) -> str:
        """In words, by cron-descriptor.  Raises ScheduleError.

        What it has no words for (moments, the sun, microseconds) is told in English.
        """
        load_schedule(expression, "UTC")
        try:
            return in_words(expression, locale)
        except ImportError as error:
            raise missing_library(error) from None


    def in_words(expression: str, locale: str) -> str:
        known = locales()
        name = known.get(locale.replace("-", "_"))
        if name is None:
            raise ScheduleError(
                f"locale {locale[:80]!r} is not known",
                "It names the language of the description.",
                f"It can be {', '.join(sorted(set(known.values())))}.",
                "locale",
            )
        kind, _, rest = expression.partition(" ")
        if kind == "@at":
            return f"Once, at {rest}"
        if kind == "@solar":
            event, latitude, longitude = rest.split(" ")
            return f"At {event.replace('_', ' ')}, latitude {latitude}, longitude {longitude}"
        from cron_descriptor import FormatException

        words = interval_in_words if kind == "@every" else crontab_in_words
        try:
            return words(expression, name)
        except (ValueError, FormatException):  # a translation that is no format string
            return words(expression, "en_US")


    def descriptor(crontab: str, locale: str) -> Any:
        from cron_descriptor import ExpressionDescriptor, Options

        options = Options()
        options.locale_code = locale
        options.use_24hour_time_format = not locale.startswith("en")
        return ExpressionDescriptor(crontab, options)


    def interval_in_words(expression: str, locale: str) -> str:
        _, every, period = expression.split(" ")
        translated = descriptor("* * * * *", locale)._
        phrase = f"every {{0}} {period}" if int(every) > 1 else f"every {period.removesuffix('s')}"
        words = translated(phrase) or translated(f", {phrase}").strip(" ,،、") or phrase
        words = str(words.format(int(every)))
        return words[0].upper() + words[1:]


    def crontab_in_words(expression: str, locale: str) -> str:
        crontab = read_crontab(expression)
        spelt = " ".join(
            spell_field(text, values, field)
            for text, values, field in zip(crontab.texts, crontab.values, FIELDS, strict=True)
        )
        words = str(descriptor(spelt, locale).get_full_description())
        if not locale.startswith("en"):  # cron-descriptor names days and months as the server does
            import calendar

            from babel.dates import get_day_names, get_month_names

            days, months = get_day_names("wide", locale=locale), get_month_names("wide", locale=locale)
            for number, day in enumerate(calendar.day_name):
                words = words.replace(day, days[number])
            for number, month in enumerate(calendar.month_name[1:], 1):
                words = re.sub(rf"\b{month}\b", months[number], words)
        return words


    # --- Clock changes -----------------------------------------------------------------------------


    def clock(wall: int) -> str:
        minutes = wall // 60 % 1440
        return f"{minutes // 60:02}:{minutes % 60:02}"


    def change_note(crontab: Crontab, zone: zoneinfo.ZoneInfo, instant: int) -> str | None:
        """What a change of the clocks has to do with a run of a crontab, if anything."""
        wall = instant + offset_at(zone, instant)
        skipped = instant + offset_at(zone, instant - 1)
        if skipped < wall and not crontab.matches(wall):
            return f"moved: the clocks go from {clock(skipped)} to {clock(wall)}"
        first, second = (instant_of(zone, wall, fold) for fold in (0, 1))
        if first == second:
            return None
        if instant == second:
            return f"second pass: the clocks show {clock(wall)} twice"
        if crontab.follows_real_time:
            return f"first pass: the clocks show {clock(wall)} twice"
        return f"runs once: the clocks show {clock(wall)} twice"


    def in_local_time(
        expression: str, zone_name: str, runs: list[int]
    ) -> tuple[list[int], list[str | None]]:
        """The clock's readings, in microseconds as if it showed UTC, and notes on its changes."""
        zone = load_zone(zone_name)
        walls = [run + offset_at(zone, run // SECOND) * SECOND for run in runs]
        if expression.startswith("@"):
            return walls, [None] * len(runs)
        crontab = read_crontab(expression)
        return walls, [change_note(crontab, zone, run // SECOND) for run in runs]
    return locals()

python.add(explain)
$python$;
COMMENT ON FUNCTION periodic_schedule.load_explain() IS
    'Adds to what load_python() has loaded the Python of validate(), describe() and preview()';

-- sql/functions/load_python.sql
-- The Python that all PL/Python functions share, read once a session, and once in each of its
-- parallel workers.  GD is shared by all roles of a session: only code goes there, no data.
-- Who calls a function in PL/Python calls this first: from Python it could not be called in a
-- parallel worker, where plpy.execute() fails.  Both are PARALLEL RESTRICTED, so that they run in one
-- process; what calls both is PARALLEL SAFE.  py_next_run_at() alone does without: it is SAFE, and
-- finds nothing where the code is not loaded.
CREATE OR REPLACE FUNCTION periodic_schedule.load_python() RETURNS void
LANGUAGE plpython3u STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
if "periodic_schedule cbfffb2ea8a1c877" in GD:
    return

import sys
import types

def grammar():
    """Celery's crontab grammar (``celery.schedules.crontab_parser``, Celery 5.x), and the error of a
    schedule that has no meaning.

    The installed PL/Python functions carry the source of every module here (``sql/assemble.py`` puts
    it in), so the server needs the libraries of ``requirements.txt`` but no copy of this project.  It
    is executed inside a function body: no ``from __future__``, and libraries are imported where they
    are used, because a missing one must become one schedule's error, not that of a whole statement.  Of
    the standard library only what is quick to import: the first write of a session waits for it.
    """

    import datetime
    import re


    class ScheduleError(ValueError):
        """A schedule expression, zone or argument that has no meaning.

        ``field`` names what is wrong, ``position`` where it begins in the expression, from 1.
        """

        def __init__(
            self,
            message: str,
            detail: str,
            hint: str,
            field: str | None = None,
            position: int | None = None,
        ) -> None:
            super().__init__(message)
            self.message = message
            self.detail = detail
            self.hint = hint
            self.field = field
            self.position = position

        @property
        def report(self) -> list[str]:
            """What periodic_schedule.raise_error() raises."""
            return [self.message, self.detail, self.hint]


    class PostponedError(ScheduleError):
        """The schedule may be right: it could not be read now."""


    def missing_library(error: ImportError | OSError) -> PostponedError:
        """What a schedule's error says where the server's Python lacks something, or cannot read it."""
        return PostponedError(
            f"the server's Python cannot import {getattr(error, 'name', None) or 'a library'}",
            f"{error}",
            "Run docker/provision.sh on the database server.",
        )


    class Field:
        """One of the five crontab fields, in the order of a crontab line."""

        def __init__(self, name: str, low: int, high: int) -> None:
            self.name = name
            self.low = low
            self.high = high


    FIELDS = (
        Field("minute", 0, 59),
        Field("hour", 0, 23),
        Field("day_of_month", 1, 31),
        Field("month_of_year", 1, 12),
        Field("day_of_week", 0, 6),
    )
    MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
    WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
    # Celery looks a name up among the months first, in whatever field it stands.
    NAMES = {name: number for number, name in enumerate(WEEKDAYS)} | {
        name: number for number, name in enumerate(MONTHS, 1)
    }
    DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

    # Celery matches these with re.match, in this order: what follows the match is ignored.
    RANGE_STEP = re.compile(r"(\w+?)-(\w+)/(\w+)?")
    RANGE = re.compile(r"(\w+?)-(\w+)")
    STAR_STEP = re.compile(r"\*/(\w+)?")
    STAR = re.compile(r"^\*$")

    CRON_HINT = (
        "Use Celery's crontab: *, numbers, names, a-b, a-b/n, */n and lists of these with commas;"
        " day_of_week is 0-6 or sun-sat."
    )


    def cron_number(text: str, field: Field) -> int:
        """A number or a name, as Celery reads it in any field."""
        try:
            number = int(text)
        except ValueError:
            name = NAMES.get(text[:3].lower())
            if name is None:
                raise ValueError(f"{text!r} is neither a number nor a name") from None
            number = name
        if text.startswith("-") or not field.low <= number <= field.high:
            raise ValueError(f"{text!r} is not between {field.low} and {field.high}")
        return number


    def cron_range(first: str, last: str, field: Field) -> list[int]:
        """``first-last``; a range that ends before it begins wraps around."""
        start, stop = cron_number(first, field), cron_number(last, field)
        if stop < start:
            return [*range(start, field.high + 1), *range(field.low, stop + 1)]
        return list(range(start, stop + 1))


    def cron_step(text: str | None) -> int:
        """The ``n`` of ``/n``.  Celery slices with it, so a name is no step and 0 is none."""
        if not text:
            raise ValueError("the step after / is missing")
        try:
            step = int(text)
        except ValueError:
            raise ValueError(f"step {text!r} is not a number") from None
        if step == 0:
            raise ValueError("a step of 0 never advances")
        return step


    def cron_part(part: str, field: Field) -> tuple[list[int], str]:
        """One comma-separated part: its values, and the text Celery really looked at."""
        if not part:
            raise ValueError("it has an empty part")
        if match := RANGE_STEP.match(part):
            first, last, step = match.groups()
            return cron_range(first, last, field)[:: cron_step(step)], match.group()
        if match := RANGE.match(part):
            first, last = match.groups()
            return cron_range(first, last, field), match.group()
        every = list(range(field.low, field.high + 1))
        if match := STAR_STEP.match(part):
            return every[:: cron_step(match.group(1))], match.group()
        if STAR.match(part):
            return every, "*"
        number, text = cron_number(part, field), part.split()[0]  # of a name, three letters are read
        return [number], "0" if text.startswith("-") else text  # " -0" is a number, "-0" is not


    def cron_field(text: str, field: Field, position: int = 1) -> tuple[set[int], str]:
        """One field: the values it stands for, and its canonical text (nothing Celery ignores)."""
        values: set[int] = set()
        texts: list[str] = []
        at = position
        for part in text.split(","):
            try:
                numbers, canonical = cron_part(part, field)
            except ValueError as error:
                raise ScheduleError(
                    f"crontab {field.name} {text!r} is invalid: {error}",
                    f"Celery's crontab parser rejects the {field.name} field.",
                    CRON_HINT,
                    field.name,
                    at,
                ) from None
            values.update(numbers)
            texts.append(canonical)
            at += len(part) + 1
        return values, ",".join(texts)


    def canonical_crontab(fields: list[str]) -> str:
        """The five columns of a crontab row as one string that Celery reads the same way."""
        return " ".join(cron_field(text, field)[1] for text, field in zip(fields, FIELDS, strict=True))


    class Crontab:
        """A crontab expression that was read: its five texts and the values they stand for."""

        def __init__(self, texts: list[str], values: list[set[int]]) -> None:
            self.texts = texts
            self.values = values

        def matches(self, wall: int) -> bool:
            """Is it to run when the clock shows this, in seconds as if it showed UTC?"""
            shown = datetime.datetime.fromtimestamp(wall, datetime.UTC)
            parts = (shown.minute, shown.hour, shown.day, shown.month, shown.isoweekday() % 7)
            return all(part in values for part, values in zip(parts, self.values, strict=True))

        @property
        def follows_real_time(self) -> bool:
            """Has it a ``*`` in minute or hour?  Then it is not one for fixed times of the day."""
            return any(part.startswith("*") for text in self.texts[:2] for part in text.split(","))


    def read_crontab(expression: str) -> Crontab:
        """Five fields.  Raises ScheduleError, also if they never match."""
        found = list(re.finditer(r"\S+", expression))
        texts = [match.group() for match in found]
        if len(texts) != len(FIELDS):
            extra = found[len(FIELDS)].start() if len(texts) > len(FIELDS) else len(expression)
            raise ScheduleError(
                f"crontab {expression!r} has not five fields but {len(texts)}",
                "The fields are minute, hour, day of month, month and day of week.",
                CRON_HINT,
                position=extra + 1,
            )
        values = [
            cron_field(match.group(), field, match.start() + 1)[0]
            for match, field in zip(found, FIELDS, strict=True)
        ]
        if not any(day <= DAYS_IN_MONTH[month - 1] for month in values[3] for day in values[2]):
            raise ScheduleError(
                f"crontab {expression!r} never matches",
                "None of its days occurs in any of its months.",
                "Check day_of_month and month_of_year.",
                "day_of_month",
                found[2].start() + 1,
            )
        return Crontab(texts, values)
    return locals()

def zones():
    """Time zones: ``zoneinfo`` on the tz database of the operating system or, for what that lacks, of
    Python's tzdata package.

    Instants are whole seconds since 1970 in UTC.  "Wall" values are readings of the local clock,
    expressed the same way, as if the clock on the wall showed UTC.
    """

    import datetime
    import functools
    import os
    import re
    import zoneinfo

    from grammar import ScheduleError

    UTC = datetime.UTC
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
        try:
            if is_zone(name):
                return zoneinfo.ZoneInfo(name)
        except (ValueError, OSError):
            pass  # a file that is no zone
        raise ScheduleError(
            f"time zone {name[:80]!r} is not known",
            "The tz database of the server has no zone of that name.",
            "Use an IANA name such as Europe/Berlin or UTC.",
            "timezone",
        )


    def tz_database() -> tuple[str, str]:
        """(where the tz database is, its version)"""
        for place in zoneinfo.TZPATH:
            if os.path.exists(os.path.join(place, "UTC")):
                try:
                    with open(os.path.join(place, "tzdata.zi"), encoding="ascii") as file:
                        return place, file.readline().removeprefix("# version ").strip()
                except OSError:
                    return place, "unknown"
        import tzdata  # zoneinfo itself falls back on it

        return "Python package tzdata", tzdata.IANA_VERSION


    def offset_at(zone: zoneinfo.ZoneInfo, instant: int) -> int:
        """UTC offset in seconds in force at an instant."""
        offset = datetime.datetime.fromtimestamp(instant, UTC).astimezone(zone).utcoffset()
        assert offset is not None
        return offset.days * 86400 + offset.seconds


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
    return locals()

def next_run():
    """When does a schedule run next?  Functions of their arguments: no database, and the clock is
    read for the deadline of ``next_runs_of_many`` only.

    What SQL hands over and gets back are whole microseconds since 1970 in UTC, because that is what a
    timestamptz holds; as text, PL/Python would get it in the session's zone and style.
    """

    import datetime
    import functools
    import re
    import time
    from bisect import bisect_left, bisect_right
    from collections.abc import Callable

    from grammar import Crontab, PostponedError, ScheduleError, missing_library, read_crontab
    from zones import UTC, instant_of, load_zone, offset_at, transition_between

    SECOND = 1_000_000
    DAY = 86_400  # in seconds
    # Python's calendar is that of the years 1 to 9999; local time needs a day more at its beginning.
    START_OF_TIME = int(datetime.datetime(1, 1, 3, tzinfo=UTC).timestamp()) * SECOND
    END_OF_TIME = int(datetime.datetime(9999, 12, 31, tzinfo=UTC).timestamp() + DAY) * SECOND
    EPOCH = datetime.date(1970, 1, 1).toordinal()
    THURSDAY = 4  # its day of the week, counted from Sunday
    GAP_LIMIT = 3 * 3600  # Debian cron: a clock change of three hours or more is a correction

    Following = Callable[[int], int | None]  # the first run strictly after an instant, if any


    def in_microseconds(moment: datetime.datetime) -> int:
        """A moment with its offset, exactly: a float of this size has no microseconds."""
        since = moment - datetime.datetime(1970, 1, 1, tzinfo=UTC)
        return (since.days * DAY + since.seconds) * SECOND + since.microseconds


    # --- The kinds of schedule ---------------------------------------------------------------------


    def wall_search(crontab: Crontab) -> Callable[[int], int]:
        """The first matching reading of the clock after another.  ValueError beyond the year 9999.

        Our own and not croniter's, whose import takes longer than the rest of a session's first write
        and whose search takes ten times as long: docs/performance.md.  The tests compare the two.
        """
        minutes, hours = (sorted(values) for values in crontab.values[:2])
        days, months, weekdays = crontab.values[2:]
        day_of = datetime.date.fromordinal
        first = hours[0] * 3600 + minutes[0] * 60

        def is_match(day: int) -> bool:
            date = day_of(day + EPOCH)
            return date.day in days and date.month in months and (day + THURSDAY) % 7 in weekdays

        def next_day(day: int) -> int:
            while True:
                day += 1
                if is_match(day):
                    return day
                date = day_of(day + EPOCH)
                if date.month not in months:
                    day += max(28 - date.day, 0)  # no month is shorter

        def next_wall(wall: int) -> int:
            day, second = divmod(wall, DAY)
            if is_match(day):
                hour, minute = divmod(second // 60 + 1, 60)
                later = bisect_left(minutes, minute)
                if hour in hours and later < len(minutes):
                    return day * DAY + hour * 3600 + minutes[later] * 60
                later = bisect_right(hours, hour)
                if later < len(hours):
                    return day * DAY + hours[later] * 3600 + minutes[0] * 60
            return next_day(day) * DAY + first

        return next_wall


    def crontab_schedule(expression: str, zone_name: str) -> Following:
        """Five fields.  Days must match both day_of_month and day_of_week, as in Celery.

        Around clock changes the rule is Debian cron's: a job at fixed times runs once, at the first
        instant after a gap or on the first pass of an overlap; a job with ``*`` in minute or hour
        follows real time and runs at every match, on both passes.
        """
        crontab = read_crontab(expression)
        zone = load_zone(zone_name)
        next_wall = wall_search(crontab)

        # Both walk the matching wall times from that of ``after``.  What the clock skips or shows again
        # is left behind in one step, at the change of the clock.

        def next_fixed(after: int) -> int:
            wall = after + offset_at(zone, after)
            while True:
                wall = next_wall(wall)
                instant = instant_of(zone, wall, 0)
                other = instant_of(zone, wall, 1)
                if instant > other:  # skipped by the clock
                    change = transition_between(zone, other, instant)
                    if instant - other < GAP_LIMIT:
                        instant = change
                    else:
                        wall = change + offset_at(zone, change) - 1
                        continue
                if instant > after:
                    return instant
                if other > after:  # after is on the second pass: the first was the one
                    change = transition_between(zone, instant, other)
                    wall = change + offset_at(zone, change - 1) - 1

        def next_shown(after: int, wall: int) -> int:
            while True:
                wall = next_wall(wall)
                instant = instant_of(zone, wall, 0)
                other = instant_of(zone, wall, 1)
                if instant > other:  # skipped by the clock
                    change = transition_between(zone, other, instant)
                    wall = change + offset_at(zone, change) - 1
                elif instant > after:
                    return instant
                elif other > after:
                    return other

        def next_real(after: int) -> int:
            wall = after + offset_at(zone, after)
            instant = next_shown(after, wall)
            repeated = instant_of(zone, wall, 1)
            if repeated > after:  # after is on the first pass of an overlap: matches come again
                change = transition_between(zone, after, repeated)
                again = next_shown(change - 1, change + offset_at(zone, change) - 1)
                instant = min(instant, again)
            return instant

        following = next_real if crontab.follows_real_time else next_fixed
        return lambda after: following(after // SECOND) * SECOND


    PERIODS = {
        "days": DAY * SECOND,
        "hours": 3_600 * SECOND,
        "minutes": 60 * SECOND,
        "seconds": SECOND,
        "microseconds": 1,
    }
    POSITIVE = re.compile(r"0{0,99}[1-9][0-9]{0,18}", re.ASCII)


    def interval_schedule(text: str, expression: str) -> Following:
        """``@every 30 seconds``: a fixed span of real time after the last run."""
        every, _, period = text.partition(" ")
        field, position = "every", len("@every ") + 1
        span = int(every) if POSITIVE.fullmatch(every) else 0
        if span:
            span *= PERIODS.get(period, 0)
            if not span:
                field, position = "period", position + len(every) + 1
        if not 0 < span < END_OF_TIME:
            raise ScheduleError(
                f"interval {expression!r} is invalid",
                "It takes a positive number, of less than 8,000 years, and a period.",
                f"Write @every N {'|'.join(PERIODS)}.",
                field,
                min(position, len(expression) + 1),
            )
        return lambda after: after + span


    def clocked_schedule(text: str, expression: str) -> Following:
        """``@at 2026-12-01T09:00:00Z``: once."""
        try:
            moment = datetime.datetime.fromisoformat(text)
            if moment.tzinfo is None:
                raise ValueError
            instant = in_microseconds(moment)
        except (ValueError, OverflowError):
            raise ScheduleError(
                f"clocked time {expression!r} is invalid",
                "It takes one moment in ISO 8601 with its offset from UTC.",
                "Write @at 2026-12-01T09:00:00Z.",
                "clocked_time",
                min(len("@at "), len(expression)) + 1,
            ) from None
        return lambda after: instant if instant > after else None


    SOLAR_EVENTS = {  # event: (ephem method, horizon, centre of the disc), as in celery.schedules.solar
        "dawn_astronomical": ("next_rising", "-18", True),
        "dawn_nautical": ("next_rising", "-12", True),
        "dawn_civil": ("next_rising", "-6", True),
        "sunrise": ("next_rising", "-0:34", False),
        "solar_noon": ("next_transit", "0", False),
        "sunset": ("next_setting", "-0:34", False),
        "dusk_civil": ("next_setting", "-6", True),
        "dusk_nautical": ("next_setting", "-12", True),
        "dusk_astronomical": ("next_setting", "-18", True),
    }
    SOLAR_SEARCH_DAYS = 366  # near the poles an event can be months away
    POLAR = 60.0  # degrees of latitude beyond which some of the events do not happen every day


    DEGREES = r"[+-]?[0-9]{1,3}(?:\.[0-9]{0,20})?"  # what ephem and float() read alike


    def read_degrees(text: str, limit: int) -> float:
        if not re.fullmatch(DEGREES, text, re.ASCII) or abs(float(text)) > limit:
            raise ValueError
        return float(text)


    def solar_schedule(text: str, expression: str) -> Following:
        """``@solar sunrise 52.37 4.90``: an event of the sun at a latitude and longitude."""
        event, _, place = text.partition(" ")
        latitude, _, longitude = place.partition(" ")
        field, position = "event", min(len("@solar "), len(expression)) + 1
        try:
            method, horizon, centre = SOLAR_EVENTS[event]
            field, position = "latitude", position + len(event) + 1
            north = read_degrees(latitude, 90)
            field, position = "longitude", position + len(latitude) + 1
            east = read_degrees(longitude, 180)
        except (KeyError, ValueError):
            raise ScheduleError(
                f"solar schedule {expression!r} is invalid",
                "It takes an event, a latitude of -90 to 90 and a longitude of -180 to 180.",
                f"The events are {', '.join(SOLAR_EVENTS)}.",
                field,
                min(position, len(expression) + 1),
            ) from None
        import ephem  # here, for the same reason as croniter

        observer = ephem.Observer()
        observer.lat, observer.lon, observer.horizon = latitude, longitude, horizon
        observer.elevation = observer.pressure = 0
        options = {"use_center": True} if centre else {}
        sun = ephem.Sun()
        altitude = ephem.degrees(horizon) / ephem.degree
        next_event = getattr(observer, method)
        ahead = east * DAY / 360  # of UTC, the place's mean time, in seconds

        def happens(midnight: float) -> bool:
            """Can the sun pass the horizon on that day?  Far cheaper than to search for it."""
            sun.compute(midnight + 0.5)
            declination = sun.dec / ephem.degree
            lowest, highest = abs(north + declination) - 90, 90 - abs(north - declination)
            return bool(lowest - 1 < altitude < highest + 1)

        def events_of(day: int) -> list[int]:
            """The events between two mean midnights of the place, searched from the first of them.

            ephem's answer depends, by milliseconds, on where the search starts.  It starts at fixed
            instants, so that no event is found twice.
            """
            opens = day * DAY - ahead
            start = ephem.Date(datetime.datetime.fromtimestamp(opens - 1, UTC).replace(tzinfo=None))
            if abs(north) > POLAR and method != "next_transit" and not happens(start):
                return []
            closes = start + 1 + ephem.second
            events: list[int] = []
            while start < closes:
                try:
                    found = next_event(sun, start=start, **options)
                except ephem.CircumpolarError:  # until the next midnight, as Celery goes on
                    start = observer.next_antitransit(sun, start=start)
                    continue
                instant = in_microseconds(found.datetime().replace(tzinfo=UTC))
                if opens * SECOND <= instant < (opens + DAY) * SECOND:
                    events.append(instant)
                start = ephem.Date(found + 0.5)
            return events

        def never(within: str) -> ScheduleError:
            return ScheduleError(
                f"solar schedule {expression!r} never happens",
                f"There is no {event} at that latitude{within}.",
                "Choose another event or place.",
                "latitude",
                len(f"@solar {event} ") + 1,
            )

        def following(after: int) -> int:
            today = int((after / SECOND + ahead) // DAY)
            for day in range(today, today + SOLAR_SEARCH_DAYS):
                for instant in events_of(day):
                    if instant > after:
                        return instant
            raise never(f" within {SOLAR_SEARCH_DAYS} days")

        if abs(north) == 90 and method != "next_transit":  # a day there lasts a year
            raise never("")
        return following


    # --- One reader for all ------------------------------------------------------------------------


    class Schedule:
        """A ``cron_string`` that was read."""

        __slots__ = ("_following",)

        def __init__(self, following: Following) -> None:
            self._following = following

        def knows(self, after: int) -> bool:  # noqa: ARG002
            """Is the answer at hand, without a search?"""
            return True

        def run_after(self, after: int) -> int | None:
            return self._following(after)


    class SearchedSchedule(Schedule):
        """One that remembers: a run that was found for one time is the run for every time from there
        to the run, so many questions about the same stretch of time cost one search."""

        __slots__ = ("_since", "_until")

        def __init__(self, following: Following) -> None:
            super().__init__(following)
            self._since = self._until = 0

        def knows(self, after: int) -> bool:
            return self._since <= after < self._until

        def run_after(self, after: int) -> int | None:
            if self._since <= after < self._until:
                return self._until
            run = self._following(max(after, START_OF_TIME))
            if run is not None:
                self._since, self._until = after, run
            return run


    @functools.lru_cache(maxsize=4096)  # 2 kB each
    def load_schedule(expression: str, zone_name: str) -> Schedule:
        """The one reader of ``cron_string``, for every kind of schedule; what it read is kept."""
        kind, _, rest = expression.partition(" ")
        load_zone(zone_name)  # also for those that do not use it: a row with a bad zone is wrong
        try:
            if kind == "@every":
                return Schedule(interval_schedule(rest, expression))
            if kind == "@at":
                return Schedule(clocked_schedule(rest, expression))
            if kind == "@solar":
                return SearchedSchedule(solar_schedule(rest, expression))
            return SearchedSchedule(crontab_schedule(expression, zone_name))
        except (ImportError, OSError) as error:
            raise missing_library(error) from None


    def run_after(expression: str, zone_name: str, after: int) -> int | None:
        """The first run strictly after ``after``; None if there is none before the year 9999 ends.

        Raises ScheduleError.
        """
        schedule = load_schedule(expression, zone_name)
        try:
            run = schedule.run_after(after)
        except ScheduleError:
            raise
        except (ValueError, OverflowError, OSError):  # beyond the calendar of datetime and croniter
            return None
        return run if run is None or run < END_OF_TIME else None


    # --- What the SQL functions call ---------------------------------------------------------------

    RUNS_AT_ONCE = 10_000


    def next_runs_of_many(
        expressions: list[str], zones: list[str], afters: list[int], deadline: int
    ) -> tuple[list[int | None], list[str | None], str | None]:
        """Many next runs in one call: the instants and the errors, in step with the arguments, and why
        the server left some of them for later, if so.

        What is not at hand and not begun by the deadline is left, but for the first: a bulk of slow
        ones (the sun near the poles) must not hold up a write.
        """
        runs: list[int | None] = []
        errors: list[str | None] = []
        incomplete: str | None = None
        known: dict[tuple[str, str], Schedule] = {}
        for expression, zone, after in zip(expressions, zones, afters, strict=True):
            run: int | None = None
            error: str | None = None
            schedule = known.get((expression, zone))
            try:
                if (
                    runs
                    and not (schedule and schedule.knows(after))
                    and time.time() * SECOND > deadline
                ):
                    raise PostponedError(
                        "next run not computed yet",
                        "A write may not wait for it.",
                        "It follows with the next write to a Beat table.",
                    )
                run = run_after(expression, zone, after)
                if schedule is None:
                    known[expression, zone] = load_schedule(expression, zone)
            except ScheduleError as problem:
                error = problem.message
                if isinstance(problem, PostponedError):
                    incomplete = error
            runs.append(run)
            errors.append(error)
        return runs, errors, incomplete


    def runs_after(
        expression: str, zone: str, after: int, count: int, until: int = END_OF_TIME
    ) -> list[int]:
        """Up to ``count`` runs, strictly after ``after`` and not after ``until``, in order.

        Raises ScheduleError.
        """
        if not 0 <= count <= RUNS_AT_ONCE:
            raise ScheduleError(
                f"{count} runs are asked for, it can be 0 to {RUNS_AT_ONCE}",
                "All of them are computed before the first is returned.",
                "Ask for the next ones after the last of these.",
            )
        load_schedule(expression, zone)  # a bad one is an error even if no run is asked for
        runs: list[int] = []
        while len(runs) < count:
            run = run_after(expression, zone, runs[-1] if runs else after)
            if run is None or run > until:
                break
            runs.append(run)
        return runs
    return locals()

modules = {}
loaded = types.SimpleNamespace()

def add(body):
    others = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)  # for the imports of this one, and only while it loads
    try:
        module = types.ModuleType(body.__name__)
        vars(module).update(body())
    finally:
        for name, other in others.items():
            if other is None:
                del sys.modules[name]
            else:
                sys.modules[name] = other
    modules[body.__name__] = module
    setattr(loaded, body.__name__, module)

for body in (grammar, zones, next_run):
    add(body)
loaded.add = add
GD["periodic_schedule cbfffb2ea8a1c877"] = loaded
$python$;
COMMENT ON FUNCTION periodic_schedule.load_python() IS
    'Carries the Python of next runs; puts it in the session''s GD for the other PL/Python functions, which are called after this';

-- sql/functions/py_next_run_at.sql
CREATE OR REPLACE FUNCTION periodic_schedule.py_next_run_at(cron_string text, timezone text, after bigint)
RETURNS bigint
LANGUAGE plpython3u STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $python$
python = GD.get("periodic_schedule cbfffb2ea8a1c877")
if python is None:
    return None
try:
    return python.next_run.run_after(cron_string, timezone, after)
except python.grammar.ScheduleError:
    return None
$python$;
COMMENT ON FUNCTION periodic_schedule.py_next_run_at(text, text, bigint) IS
    'The work of next_run_at(), in microseconds since 1970; NULL if there is no run, if load_python() was not called, and for what is no schedule: PL/Python could not raise an error without words of its own';

-- sql/functions/next_runs_of_many.sql
CREATE OR REPLACE FUNCTION periodic_schedule.next_runs_of_many(
    expressions text[], zones text[], afters bigint[], deadline bigint,
    OUT runs bigint[], OUT errors text[], OUT incomplete text
)
LANGUAGE plpython3u STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
return GD["periodic_schedule cbfffb2ea8a1c877"].next_run.next_runs_of_many(expressions, zones, afters, deadline)
$python$;
COMMENT ON FUNCTION periodic_schedule.next_runs_of_many(text[], text[], bigint[], bigint) IS
    'Next runs of many schedules in one call, in step with the arguments, in microseconds since 1970, errors as text, and why the server left some for later, if so: a library is missing, or the deadline is past; raises nothing';

-- sql/functions/parse_identity.sql
CREATE OR REPLACE FUNCTION periodic_schedule.parse_identity(
    names text[], tasks text[], args_texts text[], kwargs_texts text[], headers_texts text[],
    OUT pipeline_ids uuid[], OUT workflow_ids uuid[], OUT organization_ids text[], OUT pipeline_names text[],
    OUT identity_sources text[], OUT errors text[], OUT runnable boolean[]
)
LANGUAGE plpython3u IMMUTABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
def identity():
    """Whose schedule is it?  What a periodic task's own row says about its identity.

    Pure functions of their arguments; installed like ``next_run.py``.  The name of the pipeline, and
    better ids, come from the pipeline's row by key; that join is SQL.
    """

    import json
    import re
    import uuid
    from typing import Any

    # Names that are a UUID the way Postgres and Python print one.  Other spellings of the same number
    # are other names, so two names never claim one mirror row.
    CANONICAL_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
    # The version-5 UUIDs of all other names live in this namespace.
    NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://pypi.org/project/django-celery-beat/")
    # Tasks whose positional arguments are [workflow_id, organization_id, ...].
    POSITIONAL_TASKS = (
        "scheduler.tasks.execute_pipeline_task",
        "scheduler.tasks.execute_pipeline_task_v2",
    )


    def pipeline_id_of(name: str) -> str:
        """The mirror's key: the name itself if it is a UUID, else the version-5 UUID of the name."""
        return name if CANONICAL_UUID.fullmatch(name) else str(uuid.uuid5(NAMESPACE, name))


    def load_json(text: str | None, column: str, kind: type, errors: list[str]) -> Any:
        """The column's JSON, or its empty value with the reason noted: Beat would not run it."""
        if not text:  # Beat reads NULL and '' as empty
            return kind()
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            errors.append(f"{column} is not JSON: {error}")
            return kind()
        if not isinstance(value, kind):
            wanted = "an object" if kind is dict else "an array"
            errors.append(f"{column} is JSON but not {wanted}")
            return kind()
        return value


    def uuid_or_none(value: Any, where: str, errors: list[str]) -> str | None:
        """NULL stays NULL; what is there but no UUID is an error, never a placeholder."""
        if value is None:
            return None
        try:
            return str(uuid.UUID(value))
        except (ValueError, TypeError, AttributeError):
            errors.append(f"{where} is {json.dumps(value)[:80]}, which is not a UUID")
            return None


    def text_or_empty(value: Any, where: str, errors: list[str]) -> str:
        """Text or a number as text; ``str(None)`` and structures are errors."""
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "None":
            errors.append(f"{where} is {json.dumps(value)[:80]}, which is not an id or a name")
            return ""
        # JSON can hold what Postgres text cannot: NUL and lone surrogates
        return str(value).replace("\x00", "").encode("utf-8", "replace").decode()


    Identity = tuple[str, str | None, str, str, str, str | None, bool]


    def identity_of(
        name: str, task: str, args_text: str, kwargs_text: str, headers_text: str | None
    ) -> Identity:
        """(pipeline_id, workflow_id, organization_id, pipeline_name, identity_source, error, runnable)

        Not runnable is what Beat disables when it loads the row.
        """
        errors: list[str] = []
        args = load_json(args_text, "args", list, errors)
        kwargs = load_json(kwargs_text, "kwargs", dict, errors)
        load_json(headers_text, "headers", dict, errors)
        runnable = not errors
        workflow, organization, pipeline_name, source = None, "", "", "none"
        if kwargs.keys() & {"pipeline_id", "workflow_id", "organization_id", "pipeline_name"}:
            source = "kwargs"
            uuid_or_none(kwargs.get("pipeline_id"), "kwargs.pipeline_id", errors)
            workflow = uuid_or_none(kwargs.get("workflow_id"), "kwargs.workflow_id", errors)
            organization = text_or_empty(
                kwargs.get("organization_id"), "kwargs.organization_id", errors
            )
            pipeline_name = text_or_empty(kwargs.get("pipeline_name"), "kwargs.pipeline_name", errors)
        elif args and task in POSITIONAL_TASKS:
            source = "args"
            workflow = uuid_or_none(args[0], "args[0] (workflow_id)", errors)
            if len(args) > 1:
                organization = text_or_empty(args[1], "args[1] (organization_id)", errors)
        return (
            pipeline_id_of(name),
            workflow,
            organization,
            pipeline_name,
            source,
            "; ".join(errors).replace("\x00", "") or None,
            runnable,
        )


    def identities_of(
        names: list[str],
        tasks: list[str],
        args: list[str],
        kwargs: list[str],
        headers: list[str | None],
    ) -> tuple[list[Any], ...]:
        """Many identities in one call: one list for each element of Identity."""
        rows = [identity_of(*row) for row in zip(names, tasks, args, kwargs, headers, strict=True)]
        return tuple([row[column] for row in rows] for column in range(7))
    return locals()

if not SD:  # kept for the session
    SD.update(identity())
return SD["identities_of"](names, tasks, args_texts, kwargs_texts, headers_texts)
$python$;
COMMENT ON FUNCTION periodic_schedule.parse_identity(text[], text[], text[], text[], text[]) IS
    'What the text columns of many periodic tasks say about their identity, in step with the arguments; runnable is false where Beat cannot load them; raises nothing';

-- sql/functions/preview.sql
CREATE OR REPLACE FUNCTION periodic_schedule.preview(
    pipeline_id uuid, n integer DEFAULT 10, now timestamptz DEFAULT pg_catalog.now()
) RETURNS TABLE (run_at timestamptz, utc timestamp, local_time timestamp, note text)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    schedule record;
    runs timestamptz[];
    instants bigint[];
BEGIN
    SELECT m.cron_string, m.timezone, m.next_run_at, m.expires, m.one_off, s.spread INTO schedule
    FROM @beat_schema@.pg_periodic_schedule AS m
    LEFT JOIN periodic_schedule.policy AS y ON y.pipeline_id = m.pipeline_id AND m.pg_owned
    CROSS JOIN LATERAL (
        SELECT coalesce(periodic_schedule.spread_offset(m.periodic_task_id, y.spread), '0') AS spread
    ) AS s
    WHERE m.pipeline_id = preview.pipeline_id;
    PERFORM periodic_schedule.require_schedule(preview.pipeline_id);
    IF schedule.next_run_at IS NULL OR schedule.expires <= now THEN
        RETURN;
    END IF;
    runs := ARRAY(
        SELECT r + schedule.spread FROM periodic_schedule.next_runs(
            schedule.cron_string, schedule.timezone, greatest(schedule.next_run_at, now) - schedule.spread, n
        ) AS r
    );
    instants := ARRAY(
        SELECT periodic_schedule.to_microseconds(r.run)
        FROM unnest(schedule.next_run_at || CASE WHEN NOT schedule.one_off THEN runs END) AS r (run)
        WHERE r.run < coalesce(schedule.expires, 'infinity')
        ORDER BY r.run LIMIT n
    );
    PERFORM periodic_schedule.load_python();
    PERFORM periodic_schedule.load_explain();
    RETURN QUERY
    SELECT
        x.run_at, x.run_at AT TIME ZONE 'UTC', periodic_schedule.from_microseconds(u.wall) AT TIME ZONE 'UTC',
        CASE WHEN x.run_at <= now THEN concat_ws('; ', 'due now', u.note) ELSE u.note END
    FROM periodic_schedule.py_local_times(schedule.cron_string, schedule.timezone, instants) AS l
    CROSS JOIN LATERAL unnest(instants, l.walls, l.notes) AS u (run, wall, note)
    CROSS JOIN LATERAL (SELECT periodic_schedule.from_microseconds(u.run) AS run_at) AS x;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.preview(uuid, integer, timestamptz) IS
    'The next n runs of a schedule of pg_periodic_schedule, up to its expiry; none if it is paused, done or expired. utc and local_time are what the clocks show; note: it is due now, or what a change of the clocks does to it. One that is due now runs once, whatever it missed. Reads no clock but its default';

-- sql/functions/py_describe.sql
CREATE OR REPLACE FUNCTION periodic_schedule.py_describe(
    cron_string text, locale text, OUT words text, OUT error text[]
)
LANGUAGE plpython3u STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
python = GD["periodic_schedule cbfffb2ea8a1c877"]
try:
    return python.explain.describe(cron_string, locale), None
except python.grammar.ScheduleError as error:
    return None, error.report
$python$;
COMMENT ON FUNCTION periodic_schedule.py_describe(text, text) IS
    'The work of describe(); or message, detail and hint for raise_error()';

-- sql/functions/py_local_times.sql
CREATE OR REPLACE FUNCTION periodic_schedule.py_local_times(
    cron_string text, timezone text, runs bigint[], OUT walls bigint[], OUT notes text[]
)
LANGUAGE plpython3u STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
return GD["periodic_schedule cbfffb2ea8a1c877"].explain.in_local_time(cron_string, timezone, runs)
$python$;
COMMENT ON FUNCTION periodic_schedule.py_local_times(text, text, bigint[]) IS
    'What the clocks of the zone show at these runs, in microseconds as if it were UTC, and what a change of the clocks has to do with them';

-- sql/functions/py_next_runs.sql
CREATE OR REPLACE FUNCTION periodic_schedule.py_next_runs(
    cron_string text, timezone text, after bigint, n integer, until bigint, OUT runs bigint[], OUT error text[]
)
LANGUAGE plpython3u STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
python = GD["periodic_schedule cbfffb2ea8a1c877"]
try:
    return python.next_run.runs_after(cron_string, timezone, after, n, until), None
except python.grammar.ScheduleError as error:
    return None, error.report
$python$;
COMMENT ON FUNCTION periodic_schedule.py_next_runs(text, text, bigint, integer, bigint) IS
    'The work of runs_between(), in microseconds since 1970; or message, detail and hint for raise_error()';

-- sql/functions/py_tz_database.sql
CREATE OR REPLACE FUNCTION periodic_schedule.py_tz_database(OUT source text, OUT version text)
LANGUAGE plpython3u STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
return GD["periodic_schedule cbfffb2ea8a1c877"].zones.tz_database()
$python$;
COMMENT ON FUNCTION periodic_schedule.py_tz_database() IS 'The work of tz_database()';

-- sql/functions/py_validate.sql
CREATE OR REPLACE FUNCTION periodic_schedule.py_validate(
    cron_string text, timezone text,
    OUT valid boolean, OUT error text, OUT field text, OUT "position" integer, OUT hint text
)
LANGUAGE plpython3u STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
return GD["periodic_schedule cbfffb2ea8a1c877"].explain.validate(cron_string, timezone)
$python$;
COMMENT ON FUNCTION periodic_schedule.py_validate(text, text) IS 'The work of validate()';

-- sql/functions/validate.sql
CREATE OR REPLACE FUNCTION periodic_schedule.validate(
    cron_string text, timezone text DEFAULT 'UTC',
    OUT valid boolean, OUT error text, OUT field text, OUT "position" integer, OUT hint text
)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    PERFORM periodic_schedule.load_python();
    PERFORM periodic_schedule.load_explain();
    SELECT v.* INTO valid, error, field, "position", hint
    FROM periodic_schedule.py_validate(cron_string, timezone) AS v;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.validate(text, text) IS
    'Is it a schedule?  One row: valid; or the error, the field it is in, where in cron_string that part begins (from 1), and a hint with the nearest valid form. Raises nothing';

-- sql/privileges.sql
-- Last.  Everything belongs to the owner of the Beat tables, so that no SECURITY DEFINER function
-- runs with more than that role's rights; but PL/Python functions stay a superuser's, as they must,
-- and run with their caller's rights.  Nobody else may do anything: README, "Who may do what".
DO $do$
DECLARE
    beat_owner CONSTANT name := (
        SELECT pg_get_userbyid(c.relowner) FROM pg_class AS c
        WHERE c.oid = '@beat_schema@.django_celery_beat_periodictask'::regclass
    );
    adopted CONSTANT boolean := (SELECT i.adopted_columns IS NOT NULL FROM periodic_schedule.installation AS i);
    command text;
BEGIN
    FOR command IN
        SELECT format('ALTER ROUTINE %s OWNER TO %I', p.oid::regprocedure, beat_owner)
        FROM pg_proc AS p
        WHERE p.pronamespace = 'periodic_schedule'::regnamespace
          AND p.prolang <> (SELECT l.oid FROM pg_language AS l WHERE l.lanname = 'plpython3u')
        UNION ALL
        SELECT DISTINCT format('GRANT EXECUTE ON ROUTINE %s TO %I', p.oid::regprocedure, beat_owner)
        FROM pg_proc AS p
        WHERE p.pronamespace = 'periodic_schedule'::regnamespace
        UNION ALL
        SELECT format('ALTER TABLE %s OWNER TO %I', c.oid::regclass, beat_owner)
        FROM pg_class AS c
        WHERE c.relnamespace = 'periodic_schedule'::regnamespace AND c.relkind IN ('r', 'v')
          AND c.relname <> 'alembic_version'
        UNION ALL
        SELECT format('GRANT USAGE ON SCHEMA periodic_schedule TO %I', beat_owner)
        UNION ALL
        SELECT format('GRANT SELECT ON %s TO %I WITH GRANT OPTION', c.oid::regclass, beat_owner)
        FROM pg_class AS c
        WHERE c.oid = '@beat_schema@.pg_periodic_schedule'::regclass AND adopted
          AND c.relowner <> quote_ident(beat_owner)::regrole
        UNION ALL  -- what stays a superuser's, grant_access() can hand on all the same
        SELECT format('GRANT EXECUTE ON ROUTINE %s TO %I WITH GRANT OPTION', p.oid::regprocedure, beat_owner)
        FROM pg_proc AS p
        JOIN pg_language AS l ON l.oid = p.prolang AND l.lanname = 'plpython3u'
        WHERE p.pronamespace = 'periodic_schedule'::regnamespace AND p.proowner <> quote_ident(beat_owner)::regrole
        UNION ALL
        SELECT format('GRANT USAGE ON SCHEMA periodic_schedule TO %I WITH GRANT OPTION', beat_owner)
        FROM pg_namespace AS n
        WHERE n.nspname = 'periodic_schedule' AND n.nspowner <> quote_ident(beat_owner)::regrole
        UNION ALL
        SELECT format(
            CASE
                WHEN adopted THEN 'GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %I'
                ELSE 'ALTER TABLE %s OWNER TO %I'
            END,
            '@beat_schema@.pg_periodic_schedule'::regclass, beat_owner
        )
    LOOP
        EXECUTE command;
    END LOOP;
END
$do$;

REVOKE ALL ON ALL ROUTINES IN SCHEMA periodic_schedule FROM PUBLIC;

-- Whoever could read, tick or own before an upgrade can do so after it, with what is new; who was
-- granted but one of a reader's functions can call what it is made of.
DO $do$
DECLARE
    beat_owner CONSTANT name := (
        SELECT pg_get_userbyid(c.relowner) FROM pg_class AS c
        WHERE c.oid = '@beat_schema@.django_celery_beat_periodictask'::regclass
    );
    command text;
BEGIN
    FOR command IN
        SELECT DISTINCT format('GRANT %s ON %s TO %I', a.privilege, a.object, r.rolname)
        FROM (
            SELECT 'part' AS kind, g.grantee
            FROM pg_proc AS n CROSS JOIN LATERAL aclexplode(n.proacl) AS g
            WHERE n.pronamespace = 'periodic_schedule'::regnamespace
              AND n.proname IN ('next_run_at', 'next_runs', 'validate', 'describe', 'preview', 'tz_database')
            UNION ALL
            SELECT k.kind, g.grantee
            FROM (VALUES ('reader', 'access'), ('ticker', 'tick'), ('owner', 'release')) AS k (kind, function_name)
            JOIN pg_proc AS n
                ON n.pronamespace = 'periodic_schedule'::regnamespace AND n.proname = k.function_name
            CROSS JOIN LATERAL aclexplode(n.proacl) AS g
        ) AS granted
        JOIN pg_roles AS r ON r.oid = granted.grantee AND NOT r.rolsuper AND r.rolname <> beat_owner
        JOIN periodic_schedule.access() AS a ON a.kind = granted.kind
    LOOP
        EXECUTE command;
    END LOOP;
END
$do$;
