# SPDX-License-Identifier: Apache-2.0
"""Where goals of retargeting pull against one another: how late a motion is, and the picture of the trade-offs."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pinocchio as pin

from kata_model import RobotModel, Trajectory
from kata_model.arrays import FloatArray
from kata_model.robot.retarget_table import load_table
from kata_retarget.mocap import MotionClip

__all__ = ["Trade", "draw_trades", "lag"]

_LONGEST_LAG = 0.3  # [s]
_FINE = 8  # steps of delay to a frame


class Trade(NamedTuple):
    """A weight and what it does.

    Attributes:
        title: Mode and weight.
        default: The weight's default.
        rows: Weight, keypoint error [cm], jerk [rad/s³], delay [ms] and slide [cm/s], shape (v, 5).
    """

    title: str
    default: float
    rows: FloatArray


def lag(robot: RobotModel, clip: MotionClip, motion: Trajectory) -> float:
    """Return by how much the robot's wrists are later than the human's [s]: the shift at which their speeds fit best."""
    ours = np.linalg.norm(np.gradient(_wrists(robot, motion), axis=0), axis=2).sum(axis=1)
    rows = [clip.index(f"{side}_hand") for side in ("left", "right")]
    theirs = np.linalg.norm(np.gradient(clip.position[:, rows], axis=0), axis=2).sum(axis=1)
    time = np.arange(len(clip)) / clip.fps
    shifts = np.arange(-_LONGEST_LAG, _LONGEST_LAG, 1.0 / (_FINE * clip.fps))
    fits = [float(np.corrcoef(ours, np.interp(time - shift, time, theirs))[0, 1]) for shift in shifts]
    return float(shifts[int(np.argmax(fits))])


def _wrists(robot: RobotModel, motion: Trajectory) -> FloatArray:
    """Return the wrists in the world, shape (N, 2, 3), [m]."""
    frames = tuple(row.frame for row in load_table(robot).keypoints if row.body.endswith("_hand"))
    place = np.array([[pose.translation for pose in robot.frame_poses(q, frames)] for q in motion.joint_position])
    turns = [pin.Quaternion(q).toRotationMatrix() for q in motion.base_orientation_xyzw]
    return np.array([p @ turn.T + base for p, turn, base in zip(place, turns, motion.base_position, strict=True)])


def draw_trades(file: Path, trades: Mapping[str, Trade]) -> None:
    """Draw a panel for each weight; the default is marked."""
    figure, axes = plt.subplots(1, len(trades), figsize=(4.0 * len(trades), 3.2), constrained_layout=True)
    for axis, (name, trade) in zip(axes, trades.items(), strict=True):
        column, label = (4, "slide in contact [cm/s]") if name == "lock" else (2, "mean jerk [rad/s³]")
        axis.plot(trade.rows[:, 1], trade.rows[:, column], "-o", markersize=4)
        for row in trade.rows:
            chosen = np.isclose(row[0], trade.default)
            axis.annotate(f"{row[0]:g}", (row[1], row[column]), weight="bold" if chosen else "normal", fontsize=8)
        axis.set(title=trade.title, xlabel="keypoint error [cm]", ylabel=label)
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    figure.savefig(file, dpi=110)
