"""Curves as log-log PNG files."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import matplotlib as mpl
from harness import Curve


def draw(curves: Sequence[Curve], directory: Path) -> list[Path]:
    """One file for each plot."""
    mpl.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import LogFormatter

    files = []
    for plot, group in groupby(sorted(curves, key=lambda curve: curve.plot), lambda c: c.plot):
        figure, axes = plt.subplots(figsize=(7, 4.5), dpi=100, layout="constrained")
        for curve in group:
            axes.loglog(*zip(*curve.points, strict=True), marker="o", label=curve.label)
        axes.set(xlabel=curve.x_label, ylabel=curve.y_label)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(LogFormatter())
            axis.set_minor_formatter(LogFormatter(minor_thresholds=(1, 0.4)))
        axes.grid(which="major", alpha=0.3)
        axes.legend(fontsize="small")
        files.append(directory / f"{plot}.png")
        figure.savefig(files[-1])
        plt.close(figure)
    return files
