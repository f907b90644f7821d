# SPDX-License-Identifier: Apache-2.0
"""Small line drawings for pages of many episodes, written as SVG by hand: a hundredth of what a plotting library takes."""

from collections.abc import Sequence
from html import escape

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_report import style

__all__ = ["colours_of", "curves"]

_WIDTH, _HEIGHT, _EDGE = 1000.0, 110.0, 4.0
_POINTS = 200
_COLOURS = (style.MEASURED, style.COMMAND, style.GOOD, style.HUMAN, style.FAIL, style.TARGET, style.INK)


def colours_of(names: Sequence[str]) -> dict[str, str]:
    """Return the colour of each line by its name, for a legend."""
    return {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(names)}


def curves(seconds: FloatArray, values: NDArray[np.float32], behind: NDArray[np.float32] | None, label: str) -> Markup:
    """Return lines over time as inline SVG, all on one scale, which is told below.

    Args:
        seconds: Shape (T,), [s].
        values: One line a column, shape (T, k).
        behind: Lines in a quiet colour behind them, shape (T, k), or None.
        label: What is drawn, for those who cannot see it.
    """
    rows = np.unique(np.linspace(0, len(seconds) - 1, min(_POINTS, len(seconds))).astype(int))
    shown = [values] if behind is None else [values, behind]
    low, high = min(float(v.min()) for v in shown), max(float(v.max()) for v in shown)
    x = _EDGE + (_WIDTH - 2 * _EDGE) * seconds[rows] / max(float(seconds[-1]), 1e-9)
    quiet = [] if behind is None else [_line(x, _scale(column[rows], low, high), style.QUIET) for column in behind.T]
    lines = [_line(x, _scale(v[rows], low, high), _COLOURS[i % len(_COLOURS)]) for i, v in enumerate(values.T)]
    head = f'<svg viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" preserveAspectRatio="none" role="img" aria-label="{escape(label)}">'
    scale = f"0 to {float(seconds[-1]):.1f} s · {low:.2f} to {high:.2f} rad"
    return Markup(f"<figure>{head}{''.join([*quiet, *lines])}</svg><figcaption>{scale}</figcaption></figure>")


def _scale(values: NDArray[np.float32], low: float, high: float) -> FloatArray:
    share = (values.astype(float) - low) / max(high - low, 1e-9)
    return np.asarray(_HEIGHT - _EDGE - (_HEIGHT - 2 * _EDGE) * share)


def _line(x: FloatArray, y: FloatArray, colour: str) -> str:
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.4" vector-effect="non-scaling-stroke"/>'
