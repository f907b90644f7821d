# SPDX-License-Identifier: Apache-2.0
"""Charts of a retargeted clip over its time; each returns inline SVG."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_report import style
from kata_report.charts import plain
from kata_report.human import SIDES
from kata_report.retarget.retarget_view import ClipView
from kata_retarget.adaptation import Adaptation

__all__ = ["effort_chart", "error_chart", "foot_chart", "speed_chart", "velocity_chart"]

_LINES = (style.MEASURED, style.COMMAND, style.HUMAN, style.GOOD, style.FAIL, style.TARGET)


@style.drawn
def velocity_chart(view: ClipView) -> str:
    """Draw the velocities of the joints that come nearest to their limits, over these limits."""
    made, (axes,) = style.figure(10.4, 2.9)
    _shares(axes, view.seconds[1:], view.velocity, view.motion.joint_names)
    axes.set(ylabel="velocity / limit", xlabel="seconds")
    return style.svg(made, f"joint velocities over limits, {view.name}")


@style.drawn
def effort_chart(view: ClipView, adaptation: Adaptation, limit: FloatArray) -> str:
    """Draw the efforts of the joints that come nearest to their limits, in the adapted motion.

    Args:
        view: The clip.
        adaptation: What inverse dynamics found.
        limit: Efforts allowed, shape (n,), [N·m].
    """
    made, (axes,) = style.figure(10.4, 2.9)
    after = adaptation.after
    _shares(axes, after.stamp - after.stamp[0], np.abs(after.effort) / limit, view.motion.joint_names)
    axes.set(ylabel="effort / limit", xlabel="seconds")
    return style.svg(made, f"joint efforts over limits, {view.name}")


@style.drawn
def foot_chart(view: ClipView) -> str:
    """Draw how high each sole is, and when human and robot have it on the floor."""
    made, axes = style.figure(10.4, 3.4, 2, 1, sharex=True, sharey=True)
    for s, ax in enumerate(axes):
        height = 100 * view.height[:, s]
        ax.plot(view.seconds, height, color=style.MEASURED, linewidth=1.4)
        ax.axhline(0.0, color=style.INK, linewidth=0.8)
        top = max(5.0, float(100 * view.height.max()) * 1.05)
        _band(ax, view.seconds, view.motion.contact[:, s], style.GOOD, (-0.12 * top, -0.04 * top))
        _band(ax, view.seconds, view.labels[:, s], style.HUMAN, (-0.22 * top, -0.14 * top))
        ax.set(ylabel=f"{SIDES[s]} sole [cm]", ylim=(-0.26 * top, top), xlim=(0.0, view.seconds[-1]))
    axes[-1].set_xlabel("seconds")
    handles = [
        Line2D([], [], color=style.MEASURED, label="lowest point of the sole"),
        Patch(color=style.GOOD, label="the robot's contact"),
        Patch(color=style.HUMAN, label="the human's, by the rule of evaluation"),
    ]
    made.legend(handles=handles, loc="outside lower center", ncols=3)
    return style.svg(made, f"height of the soles and contacts, {view.name}")


@style.drawn
def error_chart(view: ClipView) -> str:
    """Draw how far the keypoints are off: the mean, and the worst with its name at the peak."""
    made, (axes,) = style.figure(10.4, 2.7)
    error = 100 * view.quality.keypoint
    worst = error.max(axis=1)
    axes.fill_between(view.seconds, worst, color=style.HUMAN, alpha=0.16, linewidth=0, label="worst keypoint")
    axes.plot(view.seconds, error.mean(axis=1), color=style.HUMAN, label="mean")
    row = int(worst.argmax())
    side = "right" if view.seconds[row] > 0.75 * view.seconds[-1] else "left"
    axes.annotate(
        f" {plain(view.keypoints[int(error[row].argmax())])}, {worst[row]:.1f} cm ",
        (view.seconds[row], worst[row]),
        ha=side,
        va="bottom",
        color=style.MUTED,
    )
    axes.plot([view.seconds[row]], [worst[row]], "o", color=style.HUMAN, markersize=4)
    axes.set(ylabel="keypoint error [cm]", xlabel="seconds", xlim=(0.0, view.seconds[-1]), ylim=(0.0, 1.18 * worst.max()))
    made.legend(loc="outside upper right", ncols=2)
    return style.svg(made, f"keypoint error over time, {view.name}")


@style.drawn
def speed_chart(adaptation: Adaptation) -> str:
    """Draw how fast the adapted motion goes along the original, over the original's time."""
    made, (axes,) = style.figure(10.4, 1.9)
    seconds = adaptation.original.stamp - adaptation.original.stamp[0]
    axes.fill_between(seconds, 100 * adaptation.speed, color=style.COMMAND, alpha=0.25, linewidth=0)
    axes.plot(seconds, 100 * adaptation.speed, color=style.COMMAND)
    axes.set(ylim=(0.0, 109.0), xlim=(0.0, seconds[-1]), ylabel="speed [%]", xlabel="seconds of the original")
    return style.svg(made, "speed of the adapted motion along the original")


def _shares(axes: Axes, seconds: FloatArray, share: FloatArray, names: tuple[str, ...]) -> None:
    """Draw the columns with the highest peaks, and the limit."""
    chosen = np.argsort(-share.max(axis=0))[: len(_LINES)]
    for colour, joint in zip(_LINES, chosen, strict=False):
        axes.plot(seconds, share[:, joint], color=colour, linewidth=1.2, label=plain(names[joint]))
    axes.axhline(1.0, color=style.FAIL, linewidth=1.0, linestyle=":")
    at = (1.0, 1.0)
    axes.annotate("safety filter's limit ", at, xycoords=("axes fraction", "data"), ha="right", va="bottom", color=style.FAIL)
    axes.set(xlim=(0.0, seconds[-1]), ylim=(0.0, max(1.15, 1.05 * float(share.max()))))
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _band(axes: Axes, seconds: FloatArray, on: NDArray[np.bool_], colour: str, span: tuple[float, float]) -> None:
    """Draw a bar where something holds, between two heights."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(int), [0]]))).reshape(-1, 2)
    last = len(seconds) - 1
    bars = [(seconds[begin], seconds[min(end, last)] - seconds[begin]) for begin, end in edges]
    axes.broken_barh(bars, (span[0], span[1] - span[0]), color=colour, linewidth=0)
