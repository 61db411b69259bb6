"""The command ``pg-periodic-schedule``: docs/command.md.  ``manage.py periodic_schedule`` is the
same on Django's databases."""

import importlib.util
import os
import sys
from collections.abc import Sequence

NEEDS_CLICK = (
    "the command needs click, which is not in this environment: "
    "pip install 'pg-periodic-schedule[cli]'"
)
CANNOT_RUN = 3  # as monitoring plug-ins end that know nothing


def main(arguments: Sequence[str] | None = None) -> None:
    """Of the console script."""
    if importlib.util.find_spec("click") is None:
        print(f"error: {NEEDS_CLICK}", file=sys.stderr)
        sys.exit(CANNOT_RUN)
    from pg_periodic_schedule.command import run
    from pg_periodic_schedule.command.places import Urls

    # Seen by operators in pg_stat_activity; and a probe does not wait for minutes.
    os.environ.setdefault("PGAPPNAME", "pg-periodic-schedule")
    os.environ.setdefault("PGCONNECT_TIMEOUT", "10")
    given = sys.argv[1:] if arguments is None else arguments
    sys.exit(run.run("pg-periodic-schedule", Urls(), given))
