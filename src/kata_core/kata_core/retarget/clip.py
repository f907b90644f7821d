# SPDX-License-Identifier: Apache-2.0
"""Retargeting of whole clips."""

from collections.abc import Sequence

import numpy as np

from kata_core.errors import ClipError
from kata_core.mocap import MotionClip
from kata_core.retarget.body import BodyRetargeter
from kata_core.retarget.config import RetargetConfig
from kata_core.retarget.types import Retargeted
from kata_core.robot import RobotModel
from kata_core.trajectory import Trajectory

__all__ = ["retarget_clip"]


def retarget_clip(
    robot: RobotModel, clip: MotionClip, fps: float = 30.0, mode: str = "offline", config: RetargetConfig | None = None
) -> Trajectory:
    """Retarget a clip.

    Args:
        robot: The robot; its folder must hold ``retarget.yaml``.
        clip: The human's motion.
        fps: Frames a second of the result [Hz].
        mode: ``streaming`` (as live, no look-ahead) or ``offline`` (smoothed to both sides).
        config: Settings; None for the defaults.

    Raises:
        ClipError: A frame of the clip cannot be followed.
        ConfigError: The robot's table is unusable.
    """
    retargeter = BodyRetargeter(robot, config)
    sampled = clip.resample(fps)
    stamps = [round(i * 1e9 / fps) for i in range(len(sampled))]
    return _trajectory(robot, [retargeter.step(sampled.frames(i, stamp, True)) for i, stamp in enumerate(stamps)], fps, clip.source)


def _trajectory(robot: RobotModel, results: Sequence[Retargeted], fps: float, source: str) -> Trajectory:
    for i, result in enumerate(results):
        if result.position is None:
            raise ClipError(f"frame {i} cannot be followed: {', '.join(result.reasons)}", where=source)
    return Trajectory(
        joint_names=robot.layout.names,
        joint_position=np.array([result.position for result in results]),
        base_position=np.array([result.base_position for result in results]),
        base_orientation_xyzw=np.array([result.base_orientation_xyzw for result in results]),
        stamp=np.arange(len(results)) / fps,
        contact=np.array([result.contact for result in results]),
    )
