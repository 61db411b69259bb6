"""The subcommands: each asks the database, or installer, and shows what it says."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from pg_periodic_schedule import installer
from pg_periodic_schedule.command import requirements
from pg_periodic_schedule.command.places import Place, Places, at_work
from pg_periodic_schedule.command.screen import Screen
from pg_periodic_schedule.installer import Database, Problem

# As monitoring plug-ins end.
STATUSES = {"ok": 0, "warning": 1, "critical": 2}
# As a statement would find it, whatever search_path is: what the view is made of.
MIRROR = (
    "SELECT c.oid::regclass::text FROM pg_rewrite AS r"
    " JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid"
    " AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class"
    " JOIN pg_class AS c ON c.oid = d.refobjid"
    " WHERE r.ev_class = to_regclass('periodic_schedule.due') LIMIT 1"
)


def commands(places: Places, screen: Screen) -> click.Group:
    """For one way to name databases."""

    def with_defaults(given: dict[str, Any], schema: str | None = None) -> dict[str, Any]:
        """Options before settings."""
        defaults = places.switches() | {"schema": schema}
        defaults.pop("drop_unsent", None)
        return defaults | {name: value for name, value in given.items() if value is not None}

    def database(multiple: bool = False) -> Callable[[Any], Any]:
        more = "  Again for several." if multiple else ""
        return click.option(
            "--database",
            "databases",
            metavar=places.metavar,
            multiple=True,
            help=places.help + more,
            callback=None if multiple else only_one,
        )

    engine = click.option(
        "--engine", metavar="ENGINE", help="plpython, or sql, which needs no superuser."
    )
    name = click.option("--name", help="What this installation is called.")
    take_over = click.option(
        "--take-over",
        metavar="WHO",
        help="postgres or beat: who fires what a ticker of the application's own has fired.",
    )
    drop_unsent = click.option(
        "--drop-unsent", is_flag=True, help="Although firings are not sent yet: drop them."
    )
    schema = click.option("--schema", help="That of Beat's tables, if several have them.")

    @click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
    @click.version_option(installer.newest_version(), message="%(version)s")
    def group() -> None:
        """Schedules of django-celery-beat inside PostgreSQL: install, check, hand over.

        Ends with 0: done, 1: not done, 3: wrong options, 130: interrupted.  check and
        server-requirements have more to say by it.
        """

    @group.command()
    @database()
    @schema
    @engine
    @name
    @take_over
    def install(databases: Sequence[str], **switches: str | None) -> None:
        """Install, upgrade, or mend what is there."""
        place = places.named(databases)[0]
        with screen.busy(f"installing in {place.name}"), at_work(place, screen.say) as db:
            before = ours(db)
            installer.install(db, **with_defaults(switches, places.schema(db)))
        screen.out(done(before, installer.newest_version(), place))

    @group.command()
    @database()
    def upgrade(databases: Sequence[str]) -> None:
        """Upgrade what is installed, or mend it."""
        place = places.named(databases)[0]
        with screen.busy(f"upgrading {place.name}"), at_work(place, screen.say) as db:
            require_installed(db, place)
            before = ours(db)
            installer.install(db)
        screen.out(done(before, installer.newest_version(), place))

    @group.command()
    @database()
    @drop_unsent
    def uninstall(databases: Sequence[str], drop_unsent: bool) -> None:
        """Give all back to Beat, and take everything out."""
        place = places.named(databases)[0]
        with screen.busy(f"taking out of {place.name}"), at_work(place, screen.say) as db:
            was_there = installer.is_there(db)
            is_set = places.switches().get("drop_unsent", False)
            installer.uninstall(db, drop_unsent=drop_unsent or is_set)
        screen.out(f"{place.name}: " + ("taken out" if was_there else "nothing was installed"))

    @group.command()
    @click.option("--schema", help="That of Beat's tables.  [default: public]", default="public")
    @engine
    @name
    @take_over
    @click.option("--from", "since", metavar="VERSION", help="To upgrade from this release.")
    @click.option("--uninstall", is_flag=True, help="To take everything out.")
    @drop_unsent
    def sql(
        schema: str, since: str | None, uninstall: bool, drop_unsent: bool, **switches: str | None
    ) -> None:
        """Print install, or uninstall, as a script for psql."""
        if uninstall and (since or any(switches.values())):
            raise click.UsageError("--uninstall goes with --schema and --drop-unsent only")
        if drop_unsent and not uninstall:
            raise click.UsageError("--drop-unsent goes with --uninstall")
        if uninstall:
            screen.raw(installer.script_back(schema=schema, drop_unsent=drop_unsent))
        else:
            given = with_defaults(switches | {"schema": schema})
            screen.raw(installer.script(since=since, **given))

    @group.command()
    @database(multiple=True)
    @click.option(
        "--timeout",
        type=click.FloatRange(min=0.001),
        default=60,
        show_default=True,
        metavar="SECONDS",
        help="Longer than that no database may take to answer.",
    )
    @click.option("--json", "as_json", is_flag=True, help="All that is known, as JSON.")
    def check(databases: Sequence[str], timeout: float, as_json: bool) -> int:
        """Say what is wrong: health, drift, pending syncs.

        Ends with 0: fine, 1: warnings, which can wait until the morning, 2: critical, also if a
        database is not reached or nothing is installed.  Of several databases the worst counts.
        """
        found = [checked(places, name, timeout, screen) for name in databases or (None,)]
        worst = max((one["status"] for one in found), key=lambda status: STATUSES[status])
        if as_json:
            screen.as_json({"status": worst, "databases": found})
        else:
            for one in found:
                show_check(one, screen)
        return STATUSES[worst]

    @group.command(short_help="Postgres fires these schedules from now on.")
    @database()
    @click.argument("names", metavar="[NAME]...", nargs=-1)
    @click.option("--all", "is_all", is_flag=True, help="All, and those created later.")
    @click.option(
        "--beat-is-stopped", is_flag=True, help="No stock Beat runs, and none is started again."
    )
    def adopt(
        databases: Sequence[str], names: Sequence[str], is_all: bool, beat_is_stopped: bool
    ) -> int:
        """Postgres fires these schedules from now on: by the task's name, or pipeline_id."""
        call = "adopt(%s::uuid[], %s)"
        return hand_over(places.named(databases)[0], call, names, is_all, beat_is_stopped)

    @group.command(short_help="Beat fires these schedules again.")
    @database()
    @click.argument("names", metavar="[NAME]...", nargs=-1)
    @click.option("--all", "is_all", is_flag=True, help="All, and those created later.")
    def release(databases: Sequence[str], names: Sequence[str], is_all: bool) -> int:
        """Beat fires these schedules again: by the task's name, or pipeline_id."""
        return hand_over(places.named(databases)[0], "release(%s::uuid[])", names, is_all)

    def hand_over(place: Place, call: str, names: Sequence[str], is_all: bool, *more: bool) -> int:
        if bool(names) == is_all:
            raise click.UsageError("name schedules, or give --all")
        doing = call.partition("(")[0]
        with (
            screen.busy(f"{doing} in {place.name}"),
            at_work(place, screen.say_aside) as db,
            asked(db, place, "operator"),
        ):
            mirror = db.value(MIRROR)
            ids = None if is_all else list(ids_of(db, mirror, names).values())
            rows = db.rows(
                "SELECT a.done, a.reason, coalesce(m.task_name, a.pipeline_id::text)"  # noqa: S608
                f" FROM periodic_schedule.{call} AS a"
                f" LEFT JOIN {mirror} AS m USING (pipeline_id) ORDER BY 3",
                ids,
                *more,
            )
        refused = [(name, reason) for is_done, reason, name in rows if not is_done]
        for reason in sorted({reason for is_done, reason, _ in rows if is_done}):
            screen.out(f"{reason}: {sum(r == reason for d, r, _ in rows if d)}")
        if not rows:
            screen.out(f"{place.name}: there are no schedules")
        for name, reason in refused:
            screen.out(f"not done: {name + ': ' if name else ''}{reason}", "critical")
        return 1 if refused else 0

    @group.command(name="next", short_help="Show the next runs.")
    @database()
    @click.argument("names", metavar="[NAME]...", nargs=-1)
    @click.option("-n", "count", default=10, show_default=True, help="So many; of each, if named.")
    @click.option("--within", help="Of all: in this time.  [default: 1 day]", metavar="INTERVAL")
    def next_(
        databases: Sequence[str], names: Sequence[str], count: int, within: str | None
    ) -> None:
        """Show the next runs: of all schedules, or of those named.

        Times are those of the session (PGTZ), and local_time those of the schedule's zone.
        """
        if names and within:
            raise click.UsageError("--within is of all schedules")
        place = places.named(databases)[0]
        with at_work(place, screen.say_aside) as db, asked(db, place, "reader"):
            if names:
                heads, rows = next_of(db, names, count)
            else:
                heads, rows = next_of_all(db, within or "1 day", count)
        screen.table(heads, rows)

    @group.command(
        name="server-requirements", short_help="Say what the server needs, and what it lacks."
    )
    @database()
    @schema
    @click.option(
        "--engine",
        type=click.Choice(["plpython", "sql"]),
        help="The one that is wanted.  [default: either]",
    )
    def server_requirements(
        databases: Sequence[str], schema: str | None, engine: str | None
    ) -> int:
        """Say what the server needs for each engine, what it lacks, and who runs what.

        Ends with 0: it can be installed (with that engine), 1: it cannot, or it cannot be asked.
        Whoever asks is who would install.  Nothing is changed.
        """
        place = places.named(databases)[0]
        with at_work(place, lambda _: None) as db:
            can = requirements.show(db, place.name, schema or places.schema(db), screen)
        return 0 if (engine in can if engine else can) else 1

    return group


def only_one(_: click.Context, __: click.Parameter, given: Sequence[str]) -> Sequence[str]:
    if len(given) > 1:
        raise click.BadParameter("one database at a time")
    return given


def ours(db: Database) -> str | None:
    """Which version is there, if it can be asked."""
    return installer.installed_version(db) or ("unknown" if installer.is_there(db) else None)


def done(before: str | None, now: str, place: Place) -> str:
    if before == now:
        return f"{place.name}: {now} was installed before"
    return f"{place.name}: {now} is installed" + (f", it was {before}" if before else "")


def require_installed(db: Database, place: Place) -> None:
    if not db.value(
        "SELECT to_regclass('periodic_schedule.health') IS NOT NULL"
        " OR to_regprocedure('periodic_schedule.version()') IS NOT NULL"
    ):
        raise Problem(
            f"pg_periodic_schedule is not installed in {place.name}",
            "Is this the database that you mean? If so: alembic upgrade head",
        )


@contextmanager
def asked(db: Database, place: Place, kind: str) -> Iterator[None]:
    """For questions to what is installed, which such a role may ask."""
    with db.settings():
        try:
            require_installed(db, place)
            yield
        except db.error as error:
            problem = installer.explain(error)
            if getattr(getattr(error, "diag", None), "message_hint", None):
                raise problem from None
            if installer.sqlstate_of(error) == installer.FORBIDDEN:
                user = place_user(db)
                problem.hint = (
                    "As the owner of Beat's tables or a superuser: "
                    f"SELECT periodic_schedule.grant_access('{kind}', '{user}');"
                )
            elif installer.sqlstate_of(error) == "25006":
                problem.hint = "This is a standby, or read-only: connect to the primary."
            raise problem from None


def place_user(db: Database) -> str:
    info = db.connection.info
    return str(info.user).replace("'", "''")


# --- check ----------------------------------------------------------------------------------------


def checked(places: Places, name: str | None, timeout: float, screen: Screen) -> dict[str, Any]:
    """What one database says; what keeps it from answering is critical."""
    found: dict[str, Any] = {"database": None, "status": "critical", "error": None}
    try:
        (place,) = places.named([] if name is None else [name])
        found["database"] = place.name
        with (
            at_work(place, screen.say_aside) as db,
            asked(db, place, "reader"),
        ):
            db.rows(
                "SELECT set_config('statement_timeout', %s, true)", str(max(1, int(timeout * 1000)))
            )
            found |= answers(db)
    except Problem as problem:
        found["error"] = {
            "message": problem.message,
            "detail": problem.detail,
            "hint": problem.hint,
        }
        return found
    urgent = [p for p in found["problems"] if not p["can_wait"]]
    if not urgent:
        fine = not found["problems"] and found["version"] == installer.newest_version()
        found["status"] = "ok" if fine else "warning"
    return found


def answers(db: Database) -> dict[str, Any]:
    """As the views have it."""
    return {
        "version": installer.installed_version(db),
        "package": installer.newest_version(),
        "this_database": as_objects(db, "periodic_schedule.this_database()")[0],
        "problems": as_objects(db, "periodic_schedule.health"),
        "pending": db.value("SELECT count(*) FROM periodic_schedule.pending_sync"),
        "metrics": as_objects(db, "periodic_schedule.metrics"),
    }


def as_objects(db: Database, relation: str) -> list[dict[str, Any]]:
    rows = db.rows(f"SELECT row_to_json(r)::text FROM {relation} AS r ORDER BY 1")  # noqa: S608
    return [json.loads(row) for (row,) in rows]


def show_check(found: dict[str, Any], screen: Screen) -> None:
    """A line for the whole, as plug-ins begin, then one for each problem."""
    status, name = found["status"], found["database"] or "not known"
    if error := found["error"]:
        problem = Problem(error["message"], error["hint"], error["detail"])
        screen.out(f"{status.upper()} {name}: {problem}", status)
        return
    problems = found["problems"]
    parts = [f"{len(problems)} problems" if len(problems) != 1 else "1 problem"]
    parts.append(f"{sum(p['problem'] == 'drift' for p in problems)} of drift")
    parts.append(f"{found['pending']} pending")
    screen.out(f"{status.upper()} {name}: {', '.join(parts)}", status)
    if found["version"] != found["package"]:
        screen.out(
            f"warning: version: the database has {found['version'] or 'an unknown one'}, this"
            f" package {found['package']}",
            "warning",
        )
    for problem in sorted(problems, key=lambda p: (p["can_wait"], p["problem"])):
        level = "warning" if problem["can_wait"] else "critical"
        screen.out(f"{level}: {problem['problem']}: {problem['detail']}", level)
        screen.out(f"  {problem['what_to_do']}")


# --- Schedules by name ----------------------------------------------------------------------------


def ids_of(db: Database, mirror: str, names: Sequence[str]) -> dict[str, str]:
    """pipeline_ids, by what the user has written."""
    rows = db.rows(
        "SELECT n.name, m.pipeline_id::text FROM unnest(%s::text[]) AS n (name)"  # noqa: S608
        f" LEFT JOIN {mirror} AS m ON n.name IN (m.task_name, m.pipeline_id::text)",
        list(names),
    )
    if unknown := [name for name, found in rows if found is None]:
        raise Problem(
            f"there is no schedule {', '.join(map(repr, unknown))}",
            "A schedule has the name of its periodic task.",
        )
    return dict(rows)


def next_of(db: Database, names: Sequence[str], count: int) -> tuple[list[str], list[Any]]:
    found = ids_of(db, db.value(MIRROR), names)
    rows = [
        (name, *row)
        for name, key in found.items()
        for row in db.rows(
            "SELECT p.run_at::text, p.local_time::text, p.note"
            " FROM periodic_schedule.preview(%s::uuid, %s) AS p",
            key,
            count,
        )
        or [("never", None, None)]
    ]
    return ["task_name", "run_at", "local_time", "note"], rows


def next_of_all(db: Database, within: str, count: int) -> tuple[list[str], list[Any]]:
    rows = db.rows(
        "SELECT u.run_at::text, u.task_name, u.cron_string,"
        " CASE WHEN u.pg_owned THEN 'postgres' ELSE 'beat' END"
        " FROM periodic_schedule.upcoming_runs(%s::interval, %s) AS u",
        within,
        count,
    )
    return ["run_at", "task_name", "cron_string", "fired_by"], rows
