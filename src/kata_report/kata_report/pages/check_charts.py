# SPDX-License-Identifier: Apache-2.0
"""Charts of a check: risk by joint and time, and the joints that come nearest to their limits."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.lines import Line2D

from kata_data.replay.checking import Checked
from kata_model.arrays import FloatArray
from kata_model.robot import RobotModel
from kata_report import style
from kata_report.charts import LIMIT_COLOURS, plain
from kata_safety.check import KINDS

__all__ = ["risk_map", "worst_joints"]

_MOST = 1.5
"""Share of a limit at which the colours end."""
_COLOURS = ((0.0, "#f6f8fb"), (0.5, "#dfe8f3"), (0.8, "#f7dc9a"), (1.0, "#f0a53c"), (1.005, "#d8432f"), (1.5, "#6d0f18"))
_BINS = 500
_ROWS = 29


@style.drawn
def risk_map(checked: Checked, names: Sequence[str]) -> str:
    """Draw the largest share of any limit by joint and time, in the robot's joint order; of many joints the worst."""
    risk, seconds = checked.usage.risk, checked.motion.seconds
    rows = np.sort(np.argsort(-risk.max(axis=0))[:_ROWS])
    bins = min(_BINS, len(seconds))
    edges = np.linspace(0.0, seconds[-1], bins + 1)
    made, (axes,) = style.figure(10.4, 0.9 + 0.21 * len(rows))
    colours = LinearSegmentedColormap.from_list("risk", [(share / _MOST, colour) for share, colour in _COLOURS], N=301)
    image = axes.imshow(
        _binned(risk[:, rows], seconds, edges).T,
        aspect="auto",
        cmap=colours,
        vmin=0.0,
        vmax=_MOST,
        extent=(0.0, float(seconds[-1]), len(rows) - 0.5, -0.5),
        interpolation="nearest",
    )
    axes.set_yticks(range(len(rows)), [plain(names[int(row)]) for row in rows])
    axes.tick_params(axis="y", labelsize=8.5)
    axes.grid(visible=False)
    axes.set(xlabel="seconds")
    bar = made.colorbar(image, ax=axes, pad=0.01, aspect=30, ticks=[0.0, 0.5, 1.0, 1.5])
    bar.ax.set_yticklabels(["0 %", "50 %", "limit", "150 %"])
    bar.outline.set_visible(False)
    return style.svg(made, f"risk by joint and time, {checked.path.name}")


def _binned(values: FloatArray, seconds: FloatArray, edges: FloatArray) -> FloatArray:
    """Return the largest value within each bin of time, shape (bins, n); an empty bin repeats the one before."""
    place = np.clip(np.searchsorted(edges, seconds, side="right") - 1, 0, len(edges) - 2)
    binned = np.full((len(edges) - 1, values.shape[1]), -np.inf)
    np.maximum.at(binned, place, values)
    known = np.maximum.accumulate(np.where(np.isfinite(binned[:, 0]), np.arange(len(binned)), 0))
    filled: FloatArray = binned[known]
    return filled


@style.drawn
def worst_joints(checked: Checked, robot: RobotModel, count: int = 4) -> str:
    """Draw the joints that come nearest to a limit or pass one: what was wanted and would be sent, and the shares of limits."""
    order = np.argsort(-checked.usage.risk.max(axis=0))[:count]
    made, axes = style.figure(10.4, 4.3, 2, count, sharex=True)
    for column, joint in enumerate(order.tolist()):
        _draw_motion(axes[column], checked, robot, joint)
        _draw_shares(axes[count + column], checked, joint)
    axes[0].set_ylabel("degrees")
    axes[count].set_ylabel("share of the limit")
    lines = [("input", style.TARGET), ("after the filter", style.COMMAND), ("limit", style.FAIL)]
    handles = [Line2D([], [], color=colour, label=name, linestyle=":" if name == "limit" else "-") for name, colour in lines]
    handles += [Line2D([], [], color=LIMIT_COLOURS[kind], label=kind) for kind in KINDS]
    made.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return style.svg(made, f"worst joints, {checked.path.name}")


def _draw_motion(ax: Axes, checked: Checked, robot: RobotModel, joint: int) -> None:
    wanted = np.degrees(checked.motion.position[:, joint])
    offset = (checked.passage.verdicts[0].stamp - int(checked.motion.stamp[0])) * 1e-9 if checked.stream != "trajectory" else 0.0
    ax.plot(checked.motion.seconds, wanted, color=style.TARGET, linewidth=2.4)
    ax.plot(checked.passage.seconds + offset, np.degrees(checked.passage.command[:, joint]), color=style.COMMAND, linewidth=1.1)
    low, high = ax.get_ylim()
    middle, half = (low + high) / 2, max(high - low, 10.0) / 2  # a joint at rest must not look as if it moved
    ax.set_ylim(middle - half, middle + half)
    for limit in np.degrees((robot.lower[joint], robot.upper[joint])):
        if middle - 2.0 * half < limit < middle + 2.0 * half:
            ax.axhline(limit, color=style.FAIL, linestyle=":", linewidth=1.2)
    ax.set_title(plain(robot.layout.names[joint]))
    ax.margins(x=0.0)


def _draw_shares(ax: Axes, checked: Checked, joint: int) -> None:
    for kind in KINDS:
        ax.plot(checked.motion.seconds, checked.usage.share[kind][:, joint], color=LIMIT_COLOURS[kind], linewidth=1.1)
    ax.axhline(1.0, color=style.FAIL, linestyle=":", linewidth=1.2)
    ax.set(xlabel="seconds", ylim=(0.0, None))
    ax.margins(x=0.0)
