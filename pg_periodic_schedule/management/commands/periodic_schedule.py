"""``manage.py periodic_schedule``: the command ``pg-periodic-schedule`` on Django's databases."""

import argparse
import importlib.util
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from django.core.management.base import BaseCommand, CommandError, handle_default_options

from pg_periodic_schedule import installer
from pg_periodic_schedule.cli import CANNOT_RUN, NEEDS_CLICK


class Command(BaseCommand):  # type: ignore[misc]
    help = "pg-periodic-schedule on Django's databases: periodic_schedule --help"
    requires_system_checks = ()  # ours would ask for what this is to install

    def run_from_argv(self, argv: list[str]) -> None:
        """Django's own options, wherever they are, and the command's."""
        parser = self.create_parser(argv[0], argv[1], add_help=False, allow_abbrev=False)
        options, arguments = parser.parse_known_args(argv[2:])
        handle_default_options(options)
        try:
            sys.exit(self.ends_with(arguments))
        except CommandError as error:
            self.stderr.write(f"error: {error}")
            sys.exit(error.returncode)

    def get_version(self) -> str:
        return installer.newest_version()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        if parser.add_help:  # for call_command()
            parser.add_argument("arguments", nargs=argparse.REMAINDER)

    def print_help(self, *_: str) -> None:
        self.ends_with(["--help"])

    def handle(self, *_: Any, arguments: list[str], **__: Any) -> None:
        """Of call_command("periodic_schedule", "check", "--json")."""
        self.stdout.ending = self.stderr.ending = ""
        with redirect_stdout(self.stdout), redirect_stderr(self.stderr):
            status = self.ends_with(arguments)
        if status:
            raise CommandError(
                f"periodic_schedule {' '.join(arguments)} ends with {status}", returncode=status
            )

    def ends_with(self, arguments: list[str]) -> int:
        if importlib.util.find_spec("click") is None:
            raise CommandError(NEEDS_CLICK, returncode=CANNOT_RUN)
        from pg_periodic_schedule.command import run
        from pg_periodic_schedule.command.places import Aliases

        return run.run("manage.py periodic_schedule", Aliases(), arguments)
