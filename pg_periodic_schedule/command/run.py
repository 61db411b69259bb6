"""From a command line to an exit status."""

from collections.abc import Sequence

import click

from pg_periodic_schedule.cli import CANNOT_RUN
from pg_periodic_schedule.command.commands import commands
from pg_periodic_schedule.command.places import Places
from pg_periodic_schedule.command.screen import Screen
from pg_periodic_schedule.installer import Problem

NOT_DONE, INTERRUPTED = 1, 130


def run(program: str, places: Places, arguments: Sequence[str]) -> int:
    """What it is to end with; errors are told, and none is raised."""
    screen = Screen(program)
    try:
        for argument in arguments:
            argument.encode()
        status = commands(places, screen).main(
            list(arguments), prog_name=program, standalone_mode=False
        )
    except Problem as problem:
        screen.err(f"error: {problem}", "critical")
        return NOT_DONE
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        if isinstance(error, click.exceptions.NoArgsIsHelpError):
            screen.err(error.format_message())
            return CANNOT_RUN
        hint = f"\n  HINT: {context.command_path} --help" if context is not None else ""
        screen.err(f"error: {error.format_message()}{hint}", "critical")
        return CANNOT_RUN
    except UnicodeEncodeError:
        screen.err("error: the command line is not in UTF-8", "critical")
        return CANNOT_RUN
    except (click.Abort, KeyboardInterrupt):
        screen.err("interrupted: what was not done yet is left as it was")
        return INTERRUPTED
    return int(status or 0)
