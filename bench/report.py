"""The tables of docs/performance.md, from the files of bench/results that it names."""

import json
import re
from pathlib import Path
from typing import Any

from harness import Result, Spread, table

PLACE = re.compile(
    r"(^<!-- (bench/results/[\w/]+\.json) -->\n).*?(?=^<!-- end -->$)", re.DOTALL | re.MULTILINE
)


def write(root: Path) -> Path:
    """Between each pair of marks, the table of the file that the first one names."""
    document = root / "docs/performance.md"
    document.write_text(filled(root, document.read_text()))
    return document


def filled(root: Path, text: str) -> str:
    def place(mark: re.Match[str]) -> str:
        return mark[1] + "".join(f"{line}\n" for line in table(results_of(root / mark[2])))

    return PLACE.sub(place, text)


def results_of(file: Path) -> list[Result]:
    return [result_of(**result) for result in json.loads(file.read_text())["results"]]


def result_of(reaches_must: bool, reaches_aim: bool, **values: Any) -> Result:  # noqa: ARG001
    for name in ("measured", "peer_measured", "ratio"):
        values[name] = values[name] and Spread(**values[name])
    return Result(**values)
