"""What all benchmarks share: alternation, medians with their spread, results and their tables."""

import gc
import re
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

Key = TypeVar("Key")
Side = Callable[[int], float]


def seconds(call: Callable[..., object], *arguments: Any, **options: Any) -> float:
    """How long a call takes."""
    started = time.perf_counter()
    call(*arguments, **options)
    return time.perf_counter() - started


def timed(call: Callable[..., object], *arguments: Any, **options: Any) -> Side:
    """A side that makes the same call in each round."""
    return lambda _: seconds(call, *arguments, **options)


def alternate(sides: Mapping[Key, Side], rounds: int, warm_up: int = 1) -> dict[Key, list[float]]:
    """What each side measures, round by round: one after the other, every other round backwards.

    A side is called with the number of the round; the rounds before 0 are not counted.
    """
    seen: dict[Key, list[float]] = {key: [] for key in sides}
    gc.collect()
    gc.disable()
    try:
        for number in range(-warm_up, rounds):
            for key in list(sides)[:: -1 if number % 2 else 1]:
                measured = sides[key](number)
                if number >= 0:
                    seen[key].append(measured)
    finally:
        gc.enable()
    return seen


@dataclass(frozen=True)
class Spread:
    """A median with its quartiles."""

    median: float
    low: float
    high: float
    samples: int

    @classmethod
    def of(cls, samples: Iterable[float]) -> "Spread":
        values = list(samples)
        if len(values) == 1:
            return cls(values[0], values[0], values[0], 1)
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high, len(values))

    def __str__(self) -> str:
        if self.samples == 1:
            return number(self.median)
        return f"{number(self.median)} ({number(self.low)}-{number(self.high)})"


@dataclass(frozen=True)
class Result:
    """One row of a table: what was measured, beside what, and what it must reach.

    A bound with "x" is one of the ratio, any other is one of what was measured, in its unit.
    """

    work: str
    measured: Spread
    unit: str
    peer: str = ""  # what it is compared with
    peer_measured: Spread | None = None
    ratio: Spread | None = None  # of the two of each round
    must: str = ""
    aim: str = ""
    sizes: Mapping[str, int] = field(default_factory=dict)
    note: str = ""

    def reaches(self, bound: str) -> bool | None:
        """Whether the median keeps a bound such as "≤ 3.5x" or "≥ 200000"; None without one."""
        if not bound:
            return None
        match = re.fullmatch(r"([≤≥]) ([\d.]+)(x?)", bound)
        assert match, bound
        sign, limit, times = match.groups()
        seen = self.ratio if times else self.measured
        assert seen, self.work
        if sign == "≤":
            return seen.median <= float(limit)
        return seen.median >= float(limit)


@dataclass(frozen=True)
class Curve:
    """One line of a log-log plot."""

    plot: str
    label: str
    x_label: str
    y_label: str
    points: Sequence[tuple[float, float]]


@dataclass
class Report:
    """What a topic yields."""

    results: list[Result]
    curves: list[Curve] = field(default_factory=list)


def slower(
    work: str, ours: Sequence[float], theirs: Sequence[float], *, scale: float = 1000, **rest: Any
) -> Result:
    """Times, as what they are multiples of: 2x takes twice as long as the peer."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return _result(work, scaled(ours, scale), scaled(theirs, scale), ratios, **rest)


def faster(
    work: str, ours: Sequence[float], theirs: Sequence[float], *, scale: float = 1000, **rest: Any
) -> Result:
    """Times, 2x takes half as long as the peer."""
    ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
    return _result(work, scaled(ours, scale), scaled(theirs, scale), ratios, **rest)


def rates(
    work: str, count: int, ours: Sequence[float], theirs: Sequence[float], **rest: Any
) -> Result:
    """Times in which so many were done; 2x does twice as many a second as the peer."""
    ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
    return _result(
        work, [count / a for a in ours], [count / b for b in theirs], ratios, unit="/s", **rest
    )


def _result(
    work: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    ratios: Sequence[float],
    unit: str = "ms",
    **rest: Any,
) -> Result:
    return Result(
        work=work,
        measured=Spread.of(ours),
        unit=unit,
        peer_measured=Spread.of(theirs),
        ratio=Spread.of(ratios),
        **rest,
    )


def scaled(samples: Sequence[float], scale: float) -> list[float]:
    return [sample * scale for sample in samples]


def number(value: float) -> str:
    """Three digits that count."""
    if value == 0 or not abs(value) < 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


HEADINGS = ("work", "measured", "beside", "", "ratio", "must", "aim", "")


def table(results: Sequence[Result]) -> list[str]:
    """As Markdown."""
    rows: list[tuple[str, ...]] = [HEADINGS]
    for result in results:
        kept = {None: "", True: "yes", False: "**no**"}[result.reaches(result.must)]
        rows.append(
            (
                result.work,
                f"{result.measured} {result.unit}",
                result.peer,
                f"{result.peer_measured} {result.unit}" if result.peer_measured else "",
                f"{result.ratio} x" if result.ratio else "",
                result.must,
                result.aim,
                "aim" if result.reaches(result.aim) else kept,
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return lines
