"""What the user sees: on a terminal with rich, where it is installed; plain text otherwise."""

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from pg_periodic_schedule.installer import Problem

COLORS = {"ok": "green", "warning": "yellow", "critical": "bold red", "lacks": "bold red"}
PROGRESS = re.compile(r"(\d+) of (\d+) ")


def clean(text: object) -> str:
    """Without what would control a terminal: names of tasks are anybody's."""
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode()
        for c in str(text)
    )


def in_its_words(said: str, program: str) -> str:
    """What is said for all doors, with the switches and verbs of this one."""

    def option(found: re.Match[str]) -> str:
        verb = {"install": "install", "take out": "uninstall"}[found[1]]
        return f"{program} {verb} {found[2]}"

    said = re.sub(r"\b(install|take out) with (\w+=)", option, said)
    said = re.sub(
        r"\b(engine|name|schema|take_over|drop_unsent)=(\w+)",
        lambda found: "--" + found[1].replace("_", "-") + f" {found[2]}".replace(" yes", ""),
        said,
    )
    said = said.replace("run alembic upgrade head of that one", "upgrade by that one")
    said = re.sub("(?<!with that release: )alembic downgrade base", f"{program} uninstall", said)
    said = said.replace("alembic upgrade head", f"{program} install")
    return said.replace("Run the migration as", "Connect as")


def on_terminal(stream: TextIO) -> Any:
    """rich's console, or None where plain text is right."""
    if not stream.isatty() or os.environ.get("TERM") == "dumb":
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True)


class Screen:
    """Results go to standard output; progress and errors to standard error.  What nobody reads
    any more (``| head``) changes nothing of what is done."""

    def __init__(self, program: str) -> None:
        self._program = program
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        self._out, self._err = on_terminal(sys.stdout), on_terminal(sys.stderr)
        self._live: Any = None

    def out(self, text: str = "", status: str = "") -> None:
        """A line; its first word in the status's colour."""
        self._print(sys.stdout, self._out, self._words(text), COLORS.get(status))

    def err(self, text: str, status: str = "") -> None:
        self._print(sys.stderr, self._err, self._words(text), COLORS.get(status))

    def raw(self, text: str) -> None:
        """For a file: in UTF-8, as it is."""
        self._write(sys.stdout, text, encoding="utf-8")

    def as_json(self, value: object) -> None:
        self._write(sys.stdout, json.dumps(value, indent=2) + "\n")

    def say(self, text: str) -> None:
        """What the server says while it works: how far it is, in the live line if there is one."""
        if self._live is not None and (done := PROGRESS.search(text)):
            self._live.update(0, completed=int(done[1]), total=int(done[2]))
        else:
            self.out(text)

    def say_aside(self, text: str) -> None:
        """The same, of what is no result."""
        if self._live is None or not PROGRESS.search(text):
            self.err(text)

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        cells = [[clean("" if v is None else v).replace("\n", " ") for v in row] for row in rows]
        if self._out is not None:
            from rich.table import Table

            table = Table(
                *heads, box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0)
            )
            for row in cells:
                table.add_row(*row)
            self._write_by(lambda: self._out.print(table), sys.stdout)
            return
        widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
        for line in (heads, *cells):
            padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            self._write(sys.stdout, "  ".join(padded).rstrip() + "\n")

    @contextmanager
    def busy(self, what: str) -> Iterator[None]:
        """A live line on a terminal, for what may take long."""
        if self._err is None:
            yield
            return
        from rich import progress as bars

        columns = (
            bars.SpinnerColumn("line"),
            bars.TextColumn("{task.description}", markup=False),
            bars.BarColumn(bar_width=20),
            bars.TaskProgressColumn(),  # once it is known
            bars.TimeElapsedColumn(),
        )
        with bars.Progress(*columns, console=self._err, transient=True) as progress:
            progress.add_task(clean(what), total=None)
            self._live = progress
            try:
                yield
            finally:
                self._live = None

    def _words(self, text: str) -> str:
        return clean(in_its_words(text, self._program))

    def _print(self, stream: TextIO, console: Any, text: str, color: str | None) -> None:
        if console is None:
            self._write(stream, text + "\n")
            return
        from rich.text import Text

        styled = Text(text)
        if color:
            styled.stylize(color, 0, len(text.split(" ", 1)[0]))
        # Above the live line, which is on standard error.
        to = self._live.console if self._live is not None else console
        self._write_by(lambda: to.print(styled), stream)

    def _write(self, stream: TextIO, text: str, encoding: str | None = None) -> None:
        def write() -> None:
            if encoding and hasattr(stream, "buffer"):
                stream.buffer.write(text.encode(encoding))
                stream.buffer.flush()
            else:
                stream.write(text)
            stream.flush()

        self._write_by(write, stream)

    def _write_by(self, write: Any, stream: TextIO) -> None:
        try:
            write()
        except BrokenPipeError:  # nobody reads: nor does what Python writes when it ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        except OSError as error:
            if stream is sys.stdout:
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
                raise Problem(f"the output cannot be written: {error.strerror}") from None
