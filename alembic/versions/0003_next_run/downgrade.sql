-- sql/functions/canonical_crontab.sql
CREATE OR REPLACE FUNCTION periodic_schedule.canonical_crontab(fields text[], OUT cron_string text, OUT error text)
LANGUAGE plpython3u STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $python$
if "periodic_schedule 5988d2fe0983ec88" not in GD:
    plpy.execute("SELECT periodic_schedule.load_python()")
python = GD["periodic_schedule 5988d2fe0983ec88"].next_run
try:
    return python.canonical_crontab(fields), None
except python.ScheduleError as error:
    return " ".join(fields), error.message
$python$;
COMMENT ON FUNCTION periodic_schedule.canonical_crontab(text[]) IS
    'The five columns of a crontab row (minute, hour, day of month, month, day of week) as one string that Celery reads the same way, or the reason why not';

-- sql/functions/expected.sql
-- The one home of what a mirror row should be: sync() writes it, drift compares with it.
CREATE OR REPLACE FUNCTION periodic_schedule.expected(
    task_ids bigint[], identify boolean, now timestamptz, deadline timestamptz DEFAULT 'infinity'
)
RETURNS TABLE (
    periodic_task_id bigint, pipeline_id uuid, organization_id text, workflow_id uuid, pipeline_name text,
    cron_string text, enabled boolean, last_run_at timestamptz, next_run_at timestamptz, task_name text,
    task text, timezone text, start_time timestamptz, expires timestamptz, one_off boolean,
    effective_at timestamptz, identity_source text, sync_error text, incomplete text
)
LANGUAGE plpgsql STABLE ROWS 100  -- STABLE: reads with the snapshot of the statement that calls it
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH source AS (
        SELECT
            p.id::bigint AS id, p.name::text AS name, p.task::text AS task, p.args, p.kwargs, p.headers,
            p.enabled, p.last_run_at, p.start_time, p.expires, p.one_off,
            p.one_off AND p.total_run_count > 0 AS finished,
            coalesce(c.timezone::text, 'UTC') AS zone,
            coalesce(cc.cron_string, k.expression, '') AS expression,
            CASE
                WHEN k.kinds <> 1 THEN format('the task has %s schedules, it must have one', k.kinds)
                WHEN k.expression IS NULL THEN 'the task''s schedule row does not exist'
                ELSE cc.error
            END AS problem,
            m AS mirror,
            identify OR m.pipeline_id IS NULL OR m.sync_error IS NOT NULL AS identified
        FROM @beat_schema@.django_celery_beat_periodictask AS p
        LEFT JOIN @beat_schema@.django_celery_beat_crontabschedule AS c ON c.id = p.crontab_id
        LEFT JOIN @beat_schema@.django_celery_beat_intervalschedule AS i ON i.id = p.interval_id
        LEFT JOIN @beat_schema@.django_celery_beat_clockedschedule AS t ON t.id = p.clocked_id
        LEFT JOIN @beat_schema@.django_celery_beat_solarschedule AS s ON s.id = p.solar_id
        LEFT JOIN @beat_schema@.pg_periodic_schedule AS m ON m.periodic_task_id = p.id
        CROSS JOIN LATERAL (
            SELECT
                num_nonnulls(p.crontab_id, p.interval_id, p.clocked_id, p.solar_id) AS kinds,
                CASE
                    WHEN num_nonnulls(p.crontab_id, p.interval_id, p.clocked_id, p.solar_id) <> 1 THEN NULL
                    WHEN c.id IS NOT NULL
                        THEN concat_ws(' ', c.minute, c.hour, c.day_of_month, c.month_of_year, c.day_of_week)
                    WHEN i.id IS NOT NULL THEN concat_ws(' ', '@every', i.every, i.period)
                    WHEN t.clocked_time < '0001-01-01T00:00Z' THEN '@at -infinity'  -- neither is a time for Beat
                    WHEN t.clocked_time = 'infinity' THEN '@at infinity'
                    WHEN t.id IS NOT NULL THEN '@at ' || rtrim(rtrim(
                        to_char(t.clocked_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '0'), '.') || 'Z'
                    WHEN s.id IS NOT NULL
                        THEN concat_ws(' ', '@solar', s.event, trim_scale(s.latitude), trim_scale(s.longitude))
                END AS expression
        ) AS k
        -- Columns with spaces or worse; the function is strict, so the others cost nothing.
        LEFT JOIN LATERAL periodic_schedule.canonical_crontab(
            CASE
                WHEN c.id IS NOT NULL AND k.expression !~ '^[!-~]+( [!-~]+){4}$' COLLATE "C"
                    THEN ARRAY[c.minute, c.hour, c.day_of_month, c.month_of_year, c.day_of_week]::text[]
            END
        ) AS cc ON true
        WHERE p.id = ANY (task_ids)
    ),

    timed AS MATERIALIZED (
        SELECT
            s.*,
            CASE
                WHEN (s.mirror).pipeline_id IS NULL THEN coalesce(s.last_run_at, now)  -- as Beat at its start
                WHEN changed OR (s.enabled AND NOT (s.mirror).enabled) THEN now
                ELSE (s.mirror).effective_at
            END AS effective_at,
            s.problem IS NULL AND (s.enabled OR changed OR (s.mirror).sync_error IS NOT NULL) AS readable
        FROM source AS s
        CROSS JOIN LATERAL (
            SELECT (s.expression, s.zone, s.start_time)
                IS DISTINCT FROM ((s.mirror).cron_string, (s.mirror).timezone, (s.mirror).start_time) AS changed
        ) AS x
    ),

    -- One call of Python for all rows, none if all are paused.
    run AS (
        SELECT u.id, to_timestamp(u.epoch) AS run_at, u.error, CASE WHEN u.error = n.incomplete THEN u.error END AS incomplete
        FROM (
            SELECT
                array_agg(t.id) AS ids, array_agg(t.expression) AS expressions, array_agg(t.zone) AS zones,
                array_agg(extract(epoch FROM b.base)::float8) AS bases
            FROM timed AS t
            CROSS JOIN LATERAL (
                SELECT CASE
                    WHEN t.expression LIKE '@at %' THEN coalesce(t.last_run_at, '-infinity')  -- past ones are due
                    WHEN t.expression LIKE '@every %' THEN greatest(t.last_run_at, t.effective_at)
                    WHEN t.start_time > t.effective_at
                        THEN greatest(t.last_run_at, t.start_time - interval '1 microsecond')
                    ELSE greatest(t.last_run_at, t.effective_at)
                END AS base
            ) AS b
            WHERE t.readable
        ) AS a
        CROSS JOIN LATERAL periodic_schedule.next_run_epochs(
            a.expressions, a.zones, a.bases, extract(epoch FROM deadline)::float8
        ) AS n
        CROSS JOIN LATERAL unnest(a.ids, n.runs, n.errors) AS u (id, epoch, error)
    ),

    parsed AS MATERIALIZED (
        SELECT u.*
        FROM (
            SELECT
                array_agg(t.id) AS ids, array_agg(t.name) AS names, array_agg(t.task) AS tasks,
                array_agg(t.args) AS args, array_agg(t.kwargs) AS kwargs, array_agg(t.headers) AS headers
            FROM timed AS t
            WHERE t.identified
        ) AS a
        CROSS JOIN LATERAL periodic_schedule.parse_identity(a.names, a.tasks, a.args, a.kwargs, a.headers) AS i
        CROSS JOIN LATERAL unnest(
            a.ids, i.pipeline_ids, i.workflow_ids, i.organization_ids, i.pipeline_names, i.identity_sources,
            i.errors, i.runnable
        ) AS u (id, pipeline_id, workflow_id, organization_id, pipeline_name, identity_source, error, runnable)
    ),

    -- What is not read again is what the locked mirror row has: see docs/locking.md.
    identity AS (
        SELECT
            i.id, i.pipeline_id, i.error, i.runnable, p.problem AS incomplete,
            CASE WHEN p.pipeline_name IS NULL THEN i.workflow_id ELSE p.workflow_id END AS workflow_id,
            coalesce(p.organization_id, i.organization_id) AS organization_id,
            coalesce(p.pipeline_name, i.pipeline_name) AS pipeline_name,
            CASE WHEN p.pipeline_name IS NULL THEN i.identity_source ELSE 'pipeline' END AS identity_source
        FROM parsed AS i
        LEFT JOIN periodic_schedule.pipeline_rows(ARRAY(SELECT q.pipeline_id FROM parsed AS q)) AS p
            ON p.pipeline_id = i.pipeline_id
        UNION ALL
        SELECT
            t.id, (t.mirror).pipeline_id, NULL, true, NULL, (t.mirror).workflow_id, (t.mirror).organization_id,
            (t.mirror).pipeline_name, (t.mirror).identity_source
        FROM timed AS t
        WHERE NOT t.identified
    )

    SELECT
        t.id, i.pipeline_id, i.organization_id, i.workflow_id, i.pipeline_name, t.expression, t.enabled,
        t.last_run_at,
        CASE
            WHEN t.enabled AND i.runnable AND NOT t.finished AND f.run_at < coalesce(t.expires, 'infinity')
                THEN f.run_at
        END,
        t.name, t.task, t.zone, t.start_time, t.expires, t.one_off, t.effective_at, i.identity_source,
        nullif(concat_ws('; ', t.problem, r.error, i.error), ''), coalesce(r.incomplete, i.incomplete)
    FROM timed AS t
    JOIN identity AS i ON i.id = t.id
    LEFT JOIN run AS r ON r.id = t.id
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN r.run_at IS NULL THEN NULL
            WHEN t.expression LIKE '@every %' AND t.last_run_at IS NULL AND t.start_time > t.effective_at
                THEN t.start_time
            ELSE greatest(r.run_at, t.start_time)
        END AS run_at
    ) AS f;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.expected(bigint[], boolean, timestamptz, timestamptz) IS
    'What the mirror rows of these tasks should be. identify: read names and arguments again too; now: when an edit seen for the first time takes effect; deadline: when to leave next runs for later; incomplete: why the server could not compute next_run_at or read pipelines';

-- sql/functions/load_python.sql
-- The Python that all PL/Python functions share, read once a session.  GD is shared by all roles of
-- a session: only code goes there, no data.  Not in a parallel worker: its GD is not the session's.
CREATE OR REPLACE FUNCTION periodic_schedule.load_python() RETURNS void
LANGUAGE plpython3u STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
import types

def next_run():
    """When does a schedule run next?  Functions of their arguments: no database, and the clock is
    read for the deadline of ``next_run_epochs`` only.

    The installed PL/Python functions carry this very source (``sql/assemble.py`` puts it in), so the
    server needs croniter but no copy of this project.  It is executed inside a function body: no
    ``from __future__`` here, and only what every function needs is imported at the top, because a
    missing croniter must become one schedule's error, not the failure of a whole statement.

    Instants are Unix epochs in seconds (float, UTC).  "Wall" values are local clock readings expressed
    the same way, as if the clock on the wall showed UTC.
    """

    import datetime
    import functools
    import re
    import time
    import zoneinfo
    from collections.abc import Callable
    from typing import NamedTuple

    UTC = datetime.UTC


    class ScheduleError(ValueError):
        """A schedule expression, zone or argument that has no meaning."""

        def __init__(self, message: str, detail: str, hint: str) -> None:
            super().__init__(message)
            self.message = message
            self.detail = detail
            self.hint = hint


    class PostponedError(ScheduleError):
        """The schedule may be right: it could not be read now."""


    # --- Celery's crontab grammar (celery.schedules.crontab_parser, Celery 5.x) --------------------


    class Field(NamedTuple):
        """One of the five crontab fields, in the order of a crontab line."""

        name: str
        low: int
        high: int


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
        return [cron_number(part, field)], part.strip()


    def cron_field(text: str, field: Field) -> tuple[set[int], str]:
        """One field: the values it stands for, and its canonical text (nothing Celery ignores)."""
        values: set[int] = set()
        texts: list[str] = []
        try:
            for part in text.split(","):
                numbers, canonical = cron_part(part, field)
                values.update(numbers)
                texts.append(canonical)
        except ValueError as error:
            raise ScheduleError(
                f"crontab {field.name} {text!r} is invalid: {error}",
                f"Celery's crontab parser rejects the {field.name} field.",
                CRON_HINT,
            ) from None
        return values, ",".join(texts)


    def canonical_crontab(fields: list[str]) -> str:
        """The five columns of a crontab row as one string that Celery reads the same way."""
        return " ".join(cron_field(text, field)[1] for text, field in zip(fields, FIELDS, strict=True))


    # --- Zones -------------------------------------------------------------------------------------

    ZONE_NAME = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", re.ASCII)


    @functools.lru_cache(maxsize=1024)
    def load_zone(name: str) -> zoneinfo.ZoneInfo:
        """The tz database's zone.  Names that could be paths never reach the file system."""
        try:
            if len(name) > 255 or not ZONE_NAME.fullmatch(name):
                raise ValueError
            return zoneinfo.ZoneInfo(name)
        except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
            raise ScheduleError(
                f"time zone {name[:80]!r} is not known",
                "The tz database of the server has no zone of that name.",
                "Use an IANA name such as Europe/Berlin or UTC.",
            ) from None


    def offset_at(zone: zoneinfo.ZoneInfo, instant: float) -> float:
        """UTC offset in seconds in force at an instant."""
        moment = datetime.datetime.fromtimestamp(instant // 1, UTC).astimezone(zone)
        offset = moment.utcoffset()
        return offset.total_seconds() if offset else 0.0


    def transition_between(zone: zoneinfo.ZoneInfo, low: float, high: float) -> float:
        """The instant in (low, high], to the second, from which high's offset is in force."""
        low, high = low // 1, high // 1
        before = offset_at(zone, low)
        while high - low > 1:
            middle = (low + high) // 2
            if offset_at(zone, middle) == before:
                low = middle
            else:
                high = middle
        return high


    # --- The kinds of schedule ---------------------------------------------------------------------

    Following = Callable[[float], float | None]  # the first run strictly after an instant, if any
    END_OF_TIME = datetime.datetime(9999, 12, 31, tzinfo=UTC).timestamp()
    GAP_LIMIT = 3 * 3600  # Debian cron: a clock change of three hours or more is a correction


    def instant_of(zone: zoneinfo.ZoneInfo, wall: float, fold: int) -> float:
        """The instant at which the clock shows ``wall``, on its first (0) or second (1) pass.

        For a wall time that is skipped, PEP 495 gives an instant after the gap (0) or before it (1).
        """
        local = datetime.datetime.fromtimestamp(wall, UTC).replace(tzinfo=zone, fold=fold)
        return local.timestamp()


    def crontab_schedule(expression: str, zone_name: str) -> Following:
        """Five fields.  Days must match both day_of_month and day_of_week, as in Celery.

        Around clock changes the rule is Debian cron's: a job at fixed times runs once, at the first
        instant after a gap or on the first pass of an overlap; a job with ``*`` in minute or hour
        follows real time and runs at every match, on both passes.
        """
        texts = expression.split()
        if len(texts) != len(FIELDS):
            raise ScheduleError(
                f"crontab {expression!r} has {len(texts)} fields, not five",
                "The fields are minute, hour, day of month, month and day of week.",
                CRON_HINT,
            )
        values = [cron_field(text, field)[0] for text, field in zip(texts, FIELDS, strict=True)]
        if not any(day <= DAYS_IN_MONTH[month - 1] for month in values[3] for day in values[2]):
            raise ScheduleError(
                f"crontab {expression!r} never matches",
                "None of its days occurs in any of its months.",
                "Check day_of_month and month_of_year.",
            )
        zone = load_zone(zone_name)
        follows_real_time = any(part.startswith("*") for part in f"{texts[0]},{texts[1]}".split(","))
        # croniter only ever sees explicit numbers: its own grammar differs from Celery's.
        explicit = " ".join(
            "*" if len(numbers) > field.high - field.low else ",".join(map(str, sorted(numbers)))
            for numbers, field in zip(values, FIELDS, strict=True)
        )
        from croniter import croniter  # here, since a server may lack it: an error of this schedule

        iterator = croniter(explicit, 0.0, day_or=False)

        def next_wall(wall: float) -> float:
            iterator.set_current(wall // 1)
            return float(iterator.get_next(float))

        def next_fixed(after: float) -> float:
            wall = after + offset_at(zone, after)
            while True:
                wall = next_wall(wall)
                instant = instant_of(zone, wall, 0)
                if instant + offset_at(zone, instant) != wall:  # skipped by the clock
                    before_gap = instant_of(zone, wall, 1)
                    if instant - before_gap >= GAP_LIMIT:
                        continue
                    instant = transition_between(zone, before_gap, instant)
                if instant > after:
                    return instant

        def first_pass(after: float, wall: float) -> float:
            while True:
                wall = next_wall(wall)
                for fold in (0, 1):
                    instant = instant_of(zone, wall, fold)
                    if instant > after and instant + offset_at(zone, instant) == wall:
                        return instant

        def next_real(after: float) -> float:
            wall = after + offset_at(zone, after)
            instant = first_pass(after, wall)
            repeated = instant_of(zone, wall, 1)
            if repeated > after + 1:  # after is on the first pass of an overlap: matches come again
                change = transition_between(zone, after, repeated)
                again = first_pass(change - 1, change + offset_at(zone, change) - 1)
                instant = min(instant, again)
            return instant

        return next_real if follows_real_time else next_fixed


    PERIODS = ("days", "hours", "minutes", "seconds", "microseconds")


    def interval_schedule(text: str, expression: str) -> Following:
        """``@every 30 seconds``: a fixed span of real time after the last run."""
        every, _, period = text.partition(" ")
        try:
            if period not in PERIODS or not every.isascii() or not every.isdecimal() or int(every) < 1:
                raise ValueError
            span = datetime.timedelta(**{period: int(every)}).total_seconds()
        except (ValueError, OverflowError):
            raise ScheduleError(
                f"interval {expression!r} is invalid",
                "It takes a positive number and a period.",
                f"Write @every N {'|'.join(PERIODS)}.",
            ) from None
        return lambda after: after + span


    def clocked_schedule(text: str, expression: str) -> Following:
        """``@at 2026-12-01T09:00:00Z``: once."""
        try:
            moment = datetime.datetime.fromisoformat(text)
            if moment.tzinfo is None:
                raise ValueError
            instant = moment.timestamp()
        except (ValueError, OverflowError):
            raise ScheduleError(
                f"clocked time {expression!r} is invalid",
                "It takes one moment in ISO 8601 with its offset from UTC.",
                "Write @at 2026-12-01T09:00:00Z.",
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


    def solar_schedule(text: str, expression: str) -> Following:
        """``@solar sunrise 52.37 4.90``: an event of the sun at a latitude and longitude."""
        event, _, place = text.partition(" ")
        latitude, _, longitude = place.partition(" ")
        try:
            if event not in SOLAR_EVENTS or not abs(float(latitude)) <= 90:
                raise ValueError
            if not abs(float(longitude)) <= 180:
                raise ValueError
        except ValueError:
            raise ScheduleError(
                f"solar schedule {expression!r} is invalid",
                "It takes an event, a latitude of -90 to 90 and a longitude of -180 to 180.",
                f"The events are {', '.join(SOLAR_EVENTS)}.",
            ) from None
        import ephem  # here, for the same reason as croniter

        method, horizon, centre = SOLAR_EVENTS[event]
        observer = ephem.Observer()
        observer.lat, observer.lon, observer.horizon = latitude, longitude, horizon
        observer.elevation = observer.pressure = 0
        options = {"use_center": True} if centre else {}

        def following(after: float) -> float | None:
            sun = ephem.Sun()
            start = ephem.Date(datetime.datetime.fromtimestamp(after, UTC).replace(tzinfo=None))
            for _ in range(SOLAR_SEARCH_DAYS):
                try:
                    found = getattr(observer, method)(sun, start=start, **options)
                except ephem.CircumpolarError:
                    start = observer.next_antitransit(sun, start=start)
                    continue
                instant: float = found.datetime().replace(tzinfo=UTC).timestamp()
                if instant > after:
                    return instant
                start = ephem.Date(found + ephem.minute)
            return None

        return following


    @functools.lru_cache(maxsize=4096)
    def load_schedule(expression: str, zone_name: str) -> Following:
        """The one reader of ``cron_string``, for every kind of schedule; what it read is kept."""
        kind, _, rest = expression.partition(" ")
        if kind == "@every":
            return interval_schedule(rest, expression)
        if kind == "@at":
            return clocked_schedule(rest, expression)
        if kind == "@solar":
            return solar_schedule(rest, expression)
        return crontab_schedule(expression, zone_name)


    def run_after(expression: str, zone_name: str, after: float) -> float | None:
        """The first run strictly after ``after``; None if there is none.  Raises ScheduleError."""
        try:
            run = load_schedule(expression, zone_name)(after)
            if run is not None and run >= END_OF_TIME:
                raise OverflowError
            return run
        except ScheduleError:
            raise
        except ImportError as error:
            raise PostponedError(
                f"the server's Python cannot import {error.name}",
                f"{error}",
                "Run docker/provision.sh on the database server.",
            ) from None
        except (ValueError, OverflowError, OSError):
            raise ScheduleError(
                f"schedule {expression!r} has no next run after {after:.0f}",
                "No run was found between the years 1 and 9999.",
                "Check the schedule and the time it is asked for.",
            ) from None


    # --- What the SQL functions call ---------------------------------------------------------------

    RUNS_AT_ONCE = 10_000


    def next_run_epochs(
        expressions: list[str], zones: list[str], afters: list[float], deadline: float
    ) -> tuple[list[float | None], list[str | None], str | None]:
        """Many next runs in one call: the instants and the errors, in step with the arguments, and why
        the server left some of them for later, if so.

        Never raises.  What is not begun by the deadline is left, but for the first: a bulk of slow
        ones (the sun near the poles) must not hold up a write.  Schedules that share expression and
        zone share their results: a run found for one base time is the run for every base time between
        the two.
        """
        runs: list[float | None] = []
        errors: list[str | None] = []
        incomplete: str | None = None
        known: dict[tuple[str, str], tuple[float, float]] = {}
        for expression, zone, after in zip(expressions, zones, afters, strict=True):
            start, found = known.get((expression, zone), (0.0, 0.0))
            run: float | None = found
            error: str | None = None
            if not start <= after < found:
                try:
                    if runs and time.time() > deadline:
                        raise PostponedError(
                            "next run not computed yet",
                            "A write may not wait for it.",
                            "It follows with the next write to a Beat table.",
                        )
                    run = run_after(expression, zone, after)
                    if run is not None and not expression.startswith("@every"):
                        known[expression, zone] = (after, run)
                except ScheduleError as problem:
                    run, error = None, problem.message
                    if isinstance(problem, PostponedError):
                        incomplete = problem.message
            runs.append(run)
            errors.append(error)
        return runs, errors, incomplete


    def runs_after(expression: str, zone: str, after: float, count: int) -> list[float]:
        """Up to ``count`` runs strictly after ``after``, in order.  Raises ScheduleError."""
        if not 0 <= count <= RUNS_AT_ONCE:
            raise ScheduleError(
                f"{count} runs are asked for, it can be 0 to {RUNS_AT_ONCE}",
                "All of them are computed before the first is returned.",
                "Ask for the next ones after the last of these.",
            )
        runs: list[float] = []
        while len(runs) < count:
            run = run_after(expression, zone, runs[-1] if runs else after)
            if run is None:
                break
            runs.append(run)
        return runs
    return types.SimpleNamespace(**locals())

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
    return types.SimpleNamespace(**locals())

GD["periodic_schedule 5988d2fe0983ec88"] = types.SimpleNamespace(next_run=next_run(), identity=identity())
$python$;
COMMENT ON FUNCTION periodic_schedule.load_python() IS
    'Carries plpython/*.py; puts it in the session''s GD for the other PL/Python functions';

-- sql/functions/next_run_at.sql
CREATE OR REPLACE FUNCTION periodic_schedule.next_run_at(cron_string text, timezone text, after timestamptz)
RETURNS timestamptz
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN (SELECT r FROM periodic_schedule.next_runs(cron_string, timezone, after, 1) AS r);
END
$function$;
COMMENT ON FUNCTION periodic_schedule.next_run_at(text, text, timestamptz) IS
    'First run strictly after a time; NULL if there is none. cron_string is that of pg_periodic_schedule, timezone an IANA zone. Reads no clock. Raises SQLSTATE 22023 with DETAIL and HINT. Rules: Celery''s crontab grammar; Debian cron''s daylight-saving rule';

-- sql/functions/next_run_epochs.sql
CREATE OR REPLACE FUNCTION periodic_schedule.next_run_epochs(
    expressions text[], zones text[], afters float8[], deadline float8,
    OUT runs float8[], OUT errors text[], OUT incomplete text
)
LANGUAGE plpython3u STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $python$
if "periodic_schedule 5988d2fe0983ec88" not in GD:
    plpy.execute("SELECT periodic_schedule.load_python()")
return GD["periodic_schedule 5988d2fe0983ec88"].next_run.next_run_epochs(expressions, zones, afters, deadline)
$python$;
COMMENT ON FUNCTION periodic_schedule.next_run_epochs(text[], text[], float8[], float8) IS
    'Next runs of many schedules in one call, in step with the arguments: Unix epochs in seconds, errors as text, and why the server left some for later, if so: a library is missing, or the deadline is past; raises nothing';

-- sql/functions/next_runs.sql
CREATE OR REPLACE FUNCTION periodic_schedule.next_runs(cron_string text, timezone text, after timestamptz, n integer)
RETURNS SETOF timestamptz
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    found record;
BEGIN
    -- An epoch, because PL/Python is given a timestamptz as text in the session's zone and style.
    found := periodic_schedule.runs_after(cron_string, timezone, extract(epoch FROM after)::float8, n);
    IF found.error IS NOT NULL THEN
        RAISE EXCEPTION '%', found.error[1]
            USING ERRCODE = '22023', DETAIL = found.error[2], HINT = found.error[3];
    END IF;
    RETURN QUERY SELECT to_timestamp(r.epoch) FROM unnest(found.runs) AS r (epoch);
END
$function$;
COMMENT ON FUNCTION periodic_schedule.next_runs(text, text, timestamptz, integer) IS
    'The first n runs (0 to 10000) strictly after a time, in order; fewer if there are no more. See next_run_at()';

-- sql/functions/parse_identity.sql
CREATE OR REPLACE FUNCTION periodic_schedule.parse_identity(
    names text[], tasks text[], args_texts text[], kwargs_texts text[], headers_texts text[],
    OUT pipeline_ids uuid[], OUT workflow_ids uuid[], OUT organization_ids text[], OUT pipeline_names text[],
    OUT identity_sources text[], OUT errors text[], OUT runnable boolean[]
)
LANGUAGE plpython3u IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $python$
if "periodic_schedule 5988d2fe0983ec88" not in GD:
    plpy.execute("SELECT periodic_schedule.load_python()")
return GD["periodic_schedule 5988d2fe0983ec88"].identity.identities_of(names, tasks, args_texts, kwargs_texts, headers_texts)
$python$;
COMMENT ON FUNCTION periodic_schedule.parse_identity(text[], text[], text[], text[], text[]) IS
    'What the text columns of many periodic tasks say about their identity, in step with the arguments; runnable is false where Beat cannot load them; raises nothing';

-- sql/functions/runs_after.sql
CREATE OR REPLACE FUNCTION periodic_schedule.runs_after(
    cron_string text, timezone text, after float8, n integer, OUT runs float8[], OUT error text[]
)
LANGUAGE plpython3u STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $python$
if "periodic_schedule 5988d2fe0983ec88" not in GD:
    plpy.execute("SELECT periodic_schedule.load_python()")
python = GD["periodic_schedule 5988d2fe0983ec88"].next_run
try:
    return python.runs_after(cron_string, timezone, after, n), None
except python.ScheduleError as error:
    return None, [error.message, error.detail, error.hint]
$python$;
COMMENT ON FUNCTION periodic_schedule.runs_after(text, text, float8, integer) IS
    'The next n runs strictly after a Unix epoch, as epochs in seconds; or message, detail and hint for what is no schedule: PL/Python could not raise them without words of its own';

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
        SELECT format('GRANT EXECUTE ON ROUTINE %s TO %I', p.oid::regprocedure, beat_owner)
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
DROP FUNCTION periodic_schedule.describe(cron_string text, locale text);
DROP FUNCTION periodic_schedule.from_microseconds(microseconds bigint);
DROP FUNCTION periodic_schedule.next_run_or_error(cron_string text, timezone text, after timestamptz);
DROP FUNCTION periodic_schedule.next_runs_of_many(expressions text[], zones text[], afters bigint[], deadline bigint, OUT runs bigint[], OUT errors text[], OUT incomplete text);
DROP FUNCTION periodic_schedule.preview(pipeline_id uuid, n integer , now timestamptz);
DROP FUNCTION periodic_schedule.py_describe(cron_string text, locale text, OUT words text, OUT error text[]);
DROP FUNCTION periodic_schedule.py_local_times(cron_string text, timezone text, runs bigint[], OUT walls bigint[], OUT notes text[]);
DROP FUNCTION periodic_schedule.py_next_run_at(cron_string text, timezone text, after bigint);
DROP FUNCTION periodic_schedule.py_next_runs(cron_string text, timezone text, after bigint, n integer, OUT runs bigint[], OUT error text[]);
DROP FUNCTION periodic_schedule.py_tz_database(OUT source text, OUT version text);
DROP FUNCTION periodic_schedule.py_validate(cron_string text, timezone text, OUT valid boolean, OUT error text, OUT field text, OUT "position" integer, OUT hint text);
DROP FUNCTION periodic_schedule.raise_error(error text[]);
DROP FUNCTION periodic_schedule.to_microseconds(moment timestamptz);
DROP FUNCTION periodic_schedule.tz_database(OUT source text, OUT version text);
DROP FUNCTION periodic_schedule.validate(cron_string text, timezone text , OUT valid boolean, OUT error text, OUT field text, OUT "position" integer, OUT hint text);
