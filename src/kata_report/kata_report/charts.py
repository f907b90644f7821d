# SPDX-License-Identifier: Apache-2.0
"""The charts of a report; each function draws one and returns inline SVG."""

from collections.abc import Sequence

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator

from kata_data.episodes.episode import Episode
from kata_learning.training.train import EpochLoss
from kata_model.arrays import FloatArray
from kata_report import style
from kata_report.measures import Latency

__all__ = [
    "LIMIT_COLOURS",
    "Approach",
    "approach_chart",
    "joint_chart",
    "latency_chart",
    "limit_chart",
    "loss_chart",
    "plain",
    "rate_chart",
]

LIMIT_COLOURS = {
    "position": "#c8372d",
    "velocity": "#f2b84b",
    "acceleration": "#7fa8dd",
    "effort": "#7a4fc0",
    "collision": "#333b47",
}
"""Colours by name of the limit."""

Approach = tuple[FloatArray, FloatArray, bool]
"""Time [s], distance to the goal [m], and whether the attempt succeeded."""


@style.drawn
def rate_chart(rate: float, low: float, high: float) -> str:
    """Draw a success rate on a scale from 0 to 100 % with its interval."""
    made, (axes,) = style.figure(4.6, 0.75)
    axes.barh(0, 1.0, height=0.5, color=style.RULE, linewidth=0)
    axes.barh(0, high - low, left=low, height=0.5, color=style.GOOD, alpha=0.35, linewidth=0)
    axes.plot([rate, rate], [-0.38, 0.38], color=style.GOOD, linewidth=4, solid_capstyle="butt")
    axes.set(xlim=(0.0, 1.0), ylim=(-0.5, 0.5), yticks=[], xticks=[0, 0.25, 0.5, 0.75, 1.0])
    axes.set_xticklabels(["0 %", "25 %", "50 %", "75 %", "100 %"])
    axes.grid(visible=False)
    axes.spines[["left", "bottom"]].set_visible(False)
    return style.svg(made, f"success rate {rate:.0%}, 95 % interval {low:.0%} to {high:.0%}")


@style.drawn
def approach_chart(demonstrations: Sequence[Approach], rollouts: Sequence[Approach], tolerance: float) -> str:
    """Draw the distance to the goal over time: demonstrations in grey, the policy's attempts in colour."""
    made, (axes,) = style.figure(10.4, 3.3)
    for seconds, distance, _ in demonstrations:
        axes.plot(seconds, 100 * distance, color=style.QUIET, linewidth=0.8, alpha=0.8)
    for seconds, distance, success in sorted(rollouts, key=lambda attempt: not attempt[2]):
        axes.plot(seconds, 100 * distance, color=style.MEASURED if success else style.FAIL, linewidth=1.3, alpha=0.8)
    axes.axhspan(0.0, 100 * tolerance, color=style.GOOD, alpha=0.15, linewidth=0)
    axes.annotate(
        f"within {100 * tolerance:g} cm",
        (1.0, 100 * tolerance),
        xycoords=("axes fraction", "data"),
        ha="right",
        va="bottom",
        color=style.GOOD,
    )
    # A failure lasts until its time is up; the page shows when the others were through, and somewhat more.
    won = [float(seconds[-1]) for seconds, _, success in (*demonstrations, *rollouts) if success and len(seconds)]
    end = 1.1 * max(won) if won else None
    axes.set(xlabel="seconds since the episode began", ylabel="palm to goal [cm]", ylim=(0.0, None), xlim=(0.0, end))
    handles = [Line2D([], [], color=style.QUIET, label="demonstrations")]
    if any(success for *_, success in rollouts):
        handles.append(Line2D([], [], color=style.MEASURED, label="policy, succeeded"))
    if any(not success for *_, success in rollouts):
        handles.append(Line2D([], [], color=style.FAIL, label="policy, failed"))
    axes.legend(handles=handles, loc="upper right")
    return style.svg(made, "distance of the palm to the goal over time")


@style.drawn
def joint_chart(episode: Episode, names: Sequence[str], index: Sequence[int], label: str) -> str:
    """Draw target, command and measurement of some joints.

    Args:
        episode: The episode.
        names: Names of the joints, at most a dozen.
        index: Their places in the layout.
        label: What it shows, for those who cannot see it.
    """
    columns = 4
    rows = -(-len(names) // columns)
    made, axes = style.figure(10.4, 0.35 + 1.75 * rows, rows, columns, sharex=True)
    series = (
        ("target", style.TARGET, 2.6, episode.target),
        ("command", style.COMMAND, 1.3, episode.command),
        ("measured", style.MEASURED, 1.3, None),
    )
    for ax, name, joint in zip(axes, names, index, strict=False):
        for title, colour, width, commands in series:
            if title == "measured":
                ax.plot(
                    episode.seconds(episode.state.stamp),
                    np.degrees(episode.state.position[:, joint]),
                    color=colour,
                    linewidth=width,
                )
            elif commands is not None:
                seconds = episode.seconds(commands.received)
                ax.plot(seconds, np.degrees(commands.position[:, joint]), color=colour, linewidth=width)
        ax.set_title(plain(name))
        ax.margins(x=0.0)
        low, high = ax.get_ylim()
        middle, half = (low + high) / 2, max(high - low, 10.0) / 2  # a joint at rest must not look as if it moved
        ax.set_ylim(middle - half, middle + half)
    for ax in axes[len(names) :]:
        ax.set_axis_off()
    if len(axes) > len(names):
        handles = [Line2D([], [], color=colour, linewidth=width, label=title) for title, colour, width, _ in series]
        axes[-1].legend(handles=handles, loc="center", title="degrees over seconds")
    return style.svg(made, label)


@style.drawn
def latency_chart(stages: Sequence[Latency], limit: float, step: float, label: str) -> str:
    """Draw one histogram a stage on a common axis, with median and 99th percentile.

    Args:
        stages: At least one.
        limit: End of the axis [ms]; what is longer counts there.
        step: Width of the bins [ms]; a clock's step makes them honest.
        label: What it shows, for those who cannot see it.
    """
    made, axes = style.figure(5.1, 0.45 + 0.85 * len(stages), len(stages), 1, sharex=True)
    bins = np.arange(-0.5 * step, limit + 1.5 * step, step)
    for ax, stage in zip(axes, stages, strict=True):
        colour = style.MEASURED if stage.key == "total" else style.TARGET
        ax.hist(np.clip(stage.milliseconds, 0.0, limit), bins=list(bins), color=colour, alpha=0.85, linewidth=0, rwidth=0.88)
        for share, mark in ((0.5, "median"), (0.99, "p99")):
            at = min(stage.quantile(share), limit)
            ax.axvline(at, color=style.INK, linewidth=1.0, linestyle="-" if share == 0.5 else ":")
            if share != 0.5 and at - stage.quantile(0.5) < 0.12 * limit:
                mark = ""  # it would lie on the median's
            ax.annotate(f" {mark}", (at, 0.98), xycoords=("data", "axes fraction"), va="top", color=style.INK, fontsize=8)
        ax.set_title(stage.title)
        ax.set_yticks([])
        ax.grid(visible=False, axis="y")
        ax.spines["left"].set_visible(False)
    axes[-1].set(xlabel="milliseconds", xlim=(-0.5 * step, limit + step))
    return style.svg(made, label)


@style.drawn
def loss_chart(losses: Sequence[EpochLoss]) -> str:
    """Draw training and validation loss over epochs, and which epoch was kept."""
    made, (axes,) = style.figure(5.1, 2.9)
    epochs = [loss.epoch for loss in losses]
    axes.semilogy(epochs, [loss.train for loss in losses], color=style.QUIET, label="training")
    axes.semilogy(epochs, [loss.validation for loss in losses], color=style.MEASURED, label="episodes held out")
    best = min(losses, key=lambda loss: loss.validation)
    axes.plot([best.epoch], [best.validation], "o", color=style.GOOD, markersize=7, label=f"kept: epoch {best.epoch}")
    axes.set(xlabel="epoch", ylabel="squared error / spread²")
    for formatter in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
        formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(LogLocator(subs=(2.0, 5.0)))
    axes.legend()
    return style.svg(made, "training and validation loss by epoch")


@style.drawn
def limit_chart(seconds: dict[str, FloatArray], names: Sequence[str], limit: int = 8) -> str:
    """Draw for how long each limit acted on the joints that it acted on most; empty if none did."""
    total = np.sum(list(seconds.values()), axis=0)
    chosen = [int(i) for i in np.argsort(-total)[:limit] if total[i] > 0.0]
    if not chosen:
        return ""
    made, (axes,) = style.figure(5.1, 0.7 + 0.27 * len(chosen))
    left = np.zeros(len(chosen))
    for kind, values in seconds.items():
        if values[chosen].any():
            axes.barh(
                range(len(chosen)), values[chosen], left=left, color=LIMIT_COLOURS[kind], height=0.7, label=kind, linewidth=0
            )
            left = left + values[chosen]
    axes.set_yticks(range(len(chosen)), [plain(names[i]) for i in chosen])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set(xlabel="seconds, over all episodes")
    axes.legend(loc="lower right")
    return style.svg(made, "how long each limit acted, by joint")


def plain(joint: str) -> str:
    """Return a joint's name as people write it."""
    return joint.removesuffix("_joint").replace("_", " ")
