# SPDX-License-Identifier: Apache-2.0
"""One look for all charts: colours with one meaning each, quiet axes, SVG that takes the page's font."""

import functools
import hashlib
import io
from collections.abc import Callable, Sequence
from html import escape
from typing import Any, ParamSpec

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = [
    "COMMAND",
    "FAIL",
    "GOOD",
    "HUMAN",
    "INK",
    "MEASURED",
    "MUTED",
    "QUIET",
    "RULE",
    "STATUS",
    "TARGET",
    "drawn",
    "figure",
    "svg",
]

_P = ParamSpec("_P")

INK, MUTED, QUIET, RULE = "#1d2530", "#667085", "#c3cad5", "#e6e9ee"
TARGET, COMMAND, MEASURED = "#8a94a6", "#e0662f", "#2463c9"
HUMAN = "#7a4fc0"
GOOD, FAIL = "#2a9d6f", "#c8372d"
STATUS = {"standby": "#d6dbe3", "following": "#74c29c", "limited": "#f2b84b", "holding": "#e2795b", "stopped": "#8e2b2b"}
"""Colours by status of the safety filter."""

_RC: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["Liberation Sans", "DejaVu Sans"],
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "lines.linewidth": 1.5,
    "lines.solid_capstyle": "round",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}


def drawn(chart: Callable[_P, str]) -> Callable[_P, str]:
    """Decorate a function that draws, so that matplotlib draws in this look."""

    @functools.wraps(chart)
    def draw(*args: _P.args, **kwargs: _P.kwargs) -> str:
        with mpl.rc_context(_RC):
            return chart(*args, **kwargs)

    return draw


def figure(width: float, height: float, rows: int = 1, columns: int = 1, **shares: Any) -> tuple[Figure, Sequence[Axes]]:
    """Return a figure and its axes, row by row; to be called within `drawn`.

    Args:
        width: In [in]; the page shows 10.4 in at its full width.
        height: In [in].
        rows: Rows of axes.
        columns: Columns of axes.
        shares: As of ``Figure.subplots``, e.g. sharex.
    """
    made = Figure(figsize=(width, height), layout="constrained")
    axes = made.subplots(rows, columns, squeeze=False, **shares)
    return made, [ax for row in np.asarray(axes) for ax in row]


def svg(made: Figure, label: str) -> str:
    """Return a figure as inline SVG that scales with the page.

    Args:
        made: The figure.
        label: What it shows, for those who cannot see it; also makes its ids unlike those of other figures.
    """
    buffer = io.StringIO()
    salt = hashlib.sha256(label.encode()).hexdigest()[:8]
    with mpl.rc_context({"svg.hashsalt": salt, "svg.id": f"chart-{salt}"}):
        made.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    head, rest = text.split(">", 1)
    parts = [part for part in head.split() if not part.startswith(("width=", "height="))]
    return f'{" ".join(parts)} role="img" aria-label="{escape(label)}">{rest}'
