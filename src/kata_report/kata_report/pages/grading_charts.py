# SPDX-License-Identifier: Apache-2.0
"""Charts of graded episodes: grades, findings, ways beside each other, covered spaces."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.lines import Line2D

from kata_data.grading import GRADES, Collection, Coverage
from kata_data.grading.from_bag import GradedBag
from kata_report import style
from kata_report.charts import plain

__all__ = ["GRADE_COLOURS", "LEVEL_COLOURS", "coverage_chart", "finding_map", "grade_chart", "residual_chart", "way_chart"]

GRADE_COLOURS = dict(zip(GRADES, ("#2a9d6f", "#8cc47f", "#f2b84b", "#e2795b", "#c8372d"), strict=True))
LEVEL_COLOURS = {"good": "#dff2e9", "warning": "#f2b84b", "failure": "#c8372d"}
_OPERATORS = (style.MEASURED, style.COMMAND, style.HUMAN, style.GOOD, style.TARGET, style.INK)
_JOINTS = 8
_NAMED = 60
"""More episodes than these are not named below a chart."""


@style.drawn
def grade_chart(letters: Sequence[str]) -> str:
    """Draw how many episodes have each grade."""
    counts = [letters.count(grade) for grade in GRADES]
    made, (axes,) = style.figure(4.6, 1.5)
    axes.bar(range(len(GRADES)), counts, color=[GRADE_COLOURS[grade] for grade in GRADES], width=0.72)
    for i, count in enumerate(counts):
        if count:
            axes.annotate(str(count), (i, count), ha="center", va="bottom", color=style.INK)
    axes.set_xticks(range(len(GRADES)), list(GRADES))
    axes.set(yticks=[], ylim=(0.0, 1.2 * max(counts)))
    axes.grid(visible=False)
    axes.spines[["left"]].set_visible(False)
    return style.svg(made, "episodes by grade")


@style.drawn
def finding_map(bags: Sequence[GradedBag]) -> str:
    """Draw how grave each measure's finding is in each episode."""
    measures = list(dict.fromkeys(finding.measure for bag in bags for finding in bag.grade.findings))
    levels = np.full((len(measures), len(bags)), np.nan)
    for column, bag in enumerate(bags):
        for finding in bag.grade.findings:
            levels[measures.index(finding.measure), column] = finding.level
    made, (axes,) = style.figure(10.4, 0.8 + 0.24 * len(measures))
    colours = ListedColormap(list(LEVEL_COLOURS.values()))
    axes.pcolormesh(levels, cmap=colours, vmin=-0.5, vmax=2.5, edgecolors="white", linewidth=1.5 if len(bags) < 100 else 0.0)
    axes.invert_yaxis()
    axes.set_yticks(np.arange(len(measures)) + 0.5, measures)
    _name_episodes(axes, [bag.path.name for bag in bags], 0.5)
    axes.grid(visible=False)
    axes.spines[["left", "bottom"]].set_visible(False)
    return style.svg(made, "findings by measure and episode")


def _name_episodes(axes: Axes, names: Sequence[str], offset: float) -> None:
    """Write the names below, without what all begin with."""
    if len(names) > _NAMED:
        axes.set_xlabel("episodes, in order")
        return
    prefix = len(names[0]) - len(names[0].lstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-"))
    same = len({name[:prefix] for name in names}) == 1
    short = [name[prefix:].lstrip("0") or name[prefix:][-1:] or name for name in names] if same else list(names)
    turn = 90 if max(map(len, short)) > 4 else 0
    axes.set_xticks(np.arange(len(names)) + offset, short, rotation=turn, fontsize=8)
    axes.set_xlabel("episode")


@style.drawn
def way_chart(found: Collection, joints: Sequence[str], label: str) -> str:
    """Draw the ways of the joints that move most: all episodes, the median way, and the odd ones."""
    order = np.argsort(-np.ptp(found.median, axis=0))[:_JOINTS]
    rows = -(-len(order) // 4)
    made, axes = style.figure(10.4, 0.5 + 1.75 * rows, rows, 4, sharex=True)
    odd = {outlier.name for outlier in found.outliers}
    phase = np.linspace(0.0, 100.0, len(found.median))
    for ax, k in zip(axes, order.tolist(), strict=False):
        for name, path in sorted(zip(found.names, found.paths, strict=True), key=lambda pair: pair[0] in odd):
            colour, width = (style.FAIL, 1.2) if name in odd else (style.QUIET, 0.7)
            ax.plot(phase, np.degrees(path[:, k]), color=colour, linewidth=width)
        ax.plot(phase, np.degrees(found.median[:, k]), color=style.MEASURED, linewidth=2.0)
        ax.set_title(plain(joints[found.joints[k]]))
        ax.margins(x=0.0)
    for ax in axes[len(order) :]:
        ax.set_axis_off()
    lines = [("episodes", style.QUIET), ("median way", style.MEASURED), *([("worth a look", style.FAIL)] if odd else [])]
    handles = [Line2D([], [], color=colour, label=name) for name, colour in lines]
    made.legend(handles=handles, loc="outside lower center", ncols=len(handles), title="degrees over percent of the motion")
    return style.svg(made, label)


@style.drawn
def residual_chart(found: Collection, label: str) -> str:
    """Draw how far each episode lies from what start and goal explain."""
    odd = {outlier.name for outlier in found.outliers}
    made, (axes,) = style.figure(10.4, 2.1)
    colours = [style.FAIL if name in odd else style.TARGET for name in found.names]
    axes.bar(range(len(found.names)), np.degrees(found.residual), color=colours, width=0.75)
    axes.axhline(float(np.degrees(np.median(found.residual))), color=style.INK, linewidth=1.0, linestyle=":")
    axes.set(ylabel="degrees (RMS)", xlim=(-0.6, len(found.names) - 0.4))
    axes.grid(visible=False, axis="x")
    _name_episodes(axes, found.names, 0.0)
    return style.svg(made, label)


@style.drawn
def coverage_chart(space: Coverage, operators: Sequence[str], unit: str, label: str) -> str:
    """Draw a space from one side or two, a point an episode, and the emptiest place in it."""
    size = space.points.shape[1]
    pairs = [(0, 1)] if size == 2 else [(0, 1), (0, 2)] if size > 2 else [(0, 0)]
    titles = [f"component {i + 1}" if space.principal else "xyz"[i] for i in range(size)]
    made, axes = style.figure(5.1, 2.9, 1, len(pairs))
    people = sorted(set(operators))
    for ax, (a, b) in zip(axes, pairs, strict=True):
        for i, person in enumerate(people):
            rows = [r for r, operator in enumerate(operators) if operator == person]
            height = space.points[rows, b] if a != b else np.zeros(len(rows))
            ax.scatter(space.points[rows, a], height, s=16, color=_OPERATORS[i % len(_OPERATORS)], label=person, linewidths=0)
        empty = (space.hole_at[a], space.hole_at[b] if a != b else 0.0)
        ax.scatter(*empty, s=60, marker="x", color=style.FAIL, label="emptiest place")
        ax.set(xlabel=f"{titles[a]} [{unit}]", ylabel=f"{titles[b]} [{unit}]" if a != b else "")
        ax.margins(0.1)
        ax.locator_params(nbins=4)
    if any(people):
        axes[0].legend(fontsize=8)
    return style.svg(made, label)
