"""The benchmark runs, and its output has what docs/performance.md shows.  No timing is asserted."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from conftest import BIN, ROOT

# pgcron waits for the next minute.
TOPICS = (
    *("repair", "engines", "writes", "nextruns", "ticks", "snapshot", "peers", "confirms"),
    "bloat",
)
RESULT = {
    *("work", "measured", "unit", "peer", "peer_measured", "ratio", "must", "aim"),
    *("sizes", "note", "reaches_must", "reaches_aim"),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("bench")
    done = subprocess.run(
        [
            *(BIN / "python", ROOT / "bench/run.py", *TOPICS, "--results", directory),
            *("--sizes", "400", "--rounds", "2", "--advances", "1200"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    return directory


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_is_measured(results: Path, topic: str) -> None:
    written = json.loads((results / f"{topic}.json").read_text())
    assert written["topic"] == topic
    assert written["sizes"] == [400]
    assert {"cpu", "cores", "memory_gb", "python", "packages", "settings"} <= written[
        "machine"
    ].keys()
    assert written["machine"]["settings"]["synchronous_commit"] == "off"
    assert written["results"]
    for result in written["results"]:
        assert result.keys() == RESULT
        for spread in ("measured", "peer_measured", "ratio"):
            if result[spread] is not None:
                assert result[spread].keys() == {"median", "low", "high", "samples"}
        assert (result["reaches_must"] is None) == (not result["must"])
        assert (result["reaches_aim"] is None) == (not result["aim"])


def test_curves_are_drawn(results: Path) -> None:
    plots = {file.stem for file in results.glob("*.png")}
    assert plots == {"writes", "scheduler", "repair", "tickers", "memory", "bloat", "pace"}
    assert max(file.stat().st_size for file in results.glob("*.png")) < 60_000


def test_the_document_shows_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "bench")
    import report

    text = (ROOT / "docs/performance.md").read_text()
    assert text.count("<!-- bench/results/") == text.count("<!-- end -->") >= 13
    assert report.filled(ROOT, text) == text
    changed = text.replace("| pause, 1,000", "| other")
    assert report.filled(ROOT, changed) == text != changed
    without = re.sub(r"(?ms)(^<!-- bench.*? -->\n).*?(^<!-- end -->$)", r"\1\2", text)
    assert report.filled(ROOT, without) == text != without
