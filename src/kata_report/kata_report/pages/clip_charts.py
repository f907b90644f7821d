# SPDX-License-Identifier: Apache-2.0
"""Charts of a report on motion capture: wrists of both, and which limits acted where and when."""

from collections.abc import Sequence

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from kata_data.episodes.episode import Episode
from kata_model.verdict import JointFlag
from kata_report import style
from kata_report.charts import LIMIT_COLOURS, plain
from kata_report.human import SIDES, WristTrack

__all__ = ["limit_raster", "wrist_chart"]


@style.drawn
def wrist_chart(track: WristTrack) -> str:
    """Draw both wrists, axis by axis: the human's on the robot's arm lengths, and the robot's."""
    made, axes = style.figure(10.4, 3.9, 2, 3, sharex=True)
    for i, ax in enumerate(axes):
        side, axis = divmod(i, 3)
        ax.plot(track.seconds, 100 * track.human[:, side, axis], color=style.HUMAN, linewidth=2.4, alpha=0.55)
        ax.plot(track.seconds, 100 * track.robot[:, side, axis], color=style.MEASURED, linewidth=1.3)
        ax.set_title(f"{SIDES[side]} wrist, {('forward', 'to the left', 'up')[axis]} [cm]")
        ax.margins(x=0.0)
    handles = [
        Line2D([], [], color=style.HUMAN, linewidth=2.4, alpha=0.55, label="human, on arms of the robot's length"),
        Line2D([], [], color=style.MEASURED, linewidth=1.3, label="robot, measured"),
    ]
    made.legend(handles=handles, loc="outside lower center", ncols=2)
    return style.svg(made, "wrists of human and robot over time")


@style.drawn
def limit_raster(episode: Episode, names: Sequence[str]) -> str:
    """Draw when which limit acted on which joint; empty if none did. The graver limit covers the other."""
    verdict = episode.verdict
    if verdict is None or not verdict.flags.any():
        return ""
    joints = np.flatnonzero(verdict.flags.any(axis=0))
    seconds = episode.seconds(verdict.decided)
    made, (axes,) = style.figure(10.4, 0.8 + 0.24 * len(joints))
    seen = []
    for flag in (JointFlag.ACCELERATION, JointFlag.VELOCITY, JointFlag.EFFORT, JointFlag.POSITION, JointFlag.COLLISION):
        name = str(flag.name).lower()
        acted = (verdict.flags[:, joints] & flag) > 0
        for row in np.flatnonzero(acted.any(axis=0)):
            spans = [(t, 0.006) for t in seconds[acted[:, row]]]
            axes.broken_barh(spans, (row - 0.38, 0.76), color=LIMIT_COLOURS[name], linewidth=0)
        if acted.any():
            seen.append(Patch(color=LIMIT_COLOURS[name], label=name))
    axes.set_yticks(range(len(joints)), [plain(names[int(i)]) for i in joints])
    axes.invert_yaxis()
    axes.set(xlabel="seconds", xlim=(0.0, episode.duration), ylim=(len(joints) - 0.5, -0.5))
    made.legend(handles=seen, loc="outside upper right", ncols=len(seen))
    return style.svg(made, "limits by joint over time")
