# SPDX-License-Identifier: Apache-2.0
"""A retargeted clip as a report looks at it: the human and the robot at the same frames, and how well they fit."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.robot import RobotModel
from kata_model.trajectory import Trajectory
from kata_retarget.adaptation import Adaptation, AdaptConfig, bounds_of
from kata_retarget.jobs import ClipResult
from kata_retarget.mocap import MotionClip, load_clip
from kata_retarget.quality import Overlaps, Quality, contact_labels, judge, limb_lengths, robot_points, summary

__all__ = ["ClipView", "view_clip"]


@dataclass(frozen=True, slots=True)
class ClipView:
    """All that the page shows of a clip of N frames.

    Attributes:
        result: What was asked and what came of it.
        human: The person at the robot's frames; slowed where the robot was.
        motion: The robot.
        quality: Samples of each metric.
        figures: The same in one number each, by name.
        keypoints: Names of the human bodies whose places were compared.
        height: Of each sole's lowest point, shape (N, 2), [m].
        slide: Horizontal speed of each sole, shape (N, 2), [m/s].
        labels: Whether the human's foot is on the floor, shape (N, 2).
        velocity: Of each joint over the safety filter's limit, shape (N - 1, n).
        max_velocity: What the motors can do at most, shape (n,), [rad/s].
        limbs: Lengths of human and robot by limb [m].
    """

    result: ClipResult
    human: MotionClip
    motion: Trajectory
    quality: Quality
    figures: Mapping[str, float]
    keypoints: tuple[str, ...]
    height: FloatArray
    slide: FloatArray
    labels: NDArray[np.bool_]
    velocity: FloatArray
    max_velocity: FloatArray
    limbs: Mapping[str, tuple[float, float]]

    @property
    def name(self) -> str:
        """The clip's name."""
        return self.result.job.clip.stem

    @property
    def seconds(self) -> FloatArray:
        """Time of each frame since the first, shape (N,), [s]."""
        seconds: FloatArray = self.motion.stamp - self.motion.stamp[0]
        return seconds

    @property
    def adaptation(self) -> Adaptation | None:
        """What adapting did, if it was asked."""
        return self.result.adaptation


def view_clip(robot: RobotModel, result: ClipResult, overlaps: Overlaps | None) -> ClipView:
    """Read the clip again and compare the motion with it.

    Args:
        robot: The robot.
        result: With a trajectory.
        overlaps: Finds self-collisions; None leaves them out.

    Raises:
        ClipError: The clip cannot be read any more.
    """
    motion = result.trajectory
    if motion is None:
        raise ValueError(f"no motion came of {result.job.clip}")
    human, labels = _human(result, motion)
    quality = judge(robot, human, motion, overlaps, labels)
    points, soles = robot_points(robot, motion)
    dt = 1.0 / result.job.fps
    limit = bounds_of(robot, AdaptConfig()).velocity
    return ClipView(
        result,
        human,
        motion,
        quality,
        summary([quality]),
        tuple(points),
        soles[..., 2].min(axis=2),
        np.linalg.norm(np.gradient(soles.mean(axis=2)[..., :2], dt, axis=0), axis=2),
        labels,
        np.abs(np.diff(motion.joint_position, axis=0)) / dt / limit,
        robot.max_velocity,
        limb_lengths(points, human),
    )


def _human(result: ClipResult, motion: Trajectory) -> tuple[MotionClip, NDArray[np.bool_]]:
    """Return the human at the motion's frames, and when the feet are on the floor.

    That is judged at the human's own speed: a foot that was slowed has not come to stand.
    """
    fps = result.job.fps
    sampled = load_clip(result.job.clip, result.job.options).resample(fps)
    if result.adaptation is None or result.adaptation.trajectory is result.adaptation.original:
        return sampled, contact_labels(sampled)
    rows = (result.adaptation.time - result.adaptation.original.stamp[0]) * fps
    return sampled.at(rows, fps), contact_labels(sampled)[np.rint(rows).astype(int)]
