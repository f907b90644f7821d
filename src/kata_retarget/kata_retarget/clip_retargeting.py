# SPDX-License-Identifier: Apache-2.0
"""Retargeting of whole clips."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.errors import ClipError, ConfigError
from kata_model.robot import RobotModel
from kata_model.trajectory import Trajectory
from kata_retarget.body import BodyRetargeter
from kata_retarget.config import RetargetConfig
from kata_retarget.mocap import MotionClip
from kata_retarget.offline.offline import retarget_offline
from kata_retarget.skeleton import t_pose
from kata_retarget.solver.rotation import quaternion_of

__all__ = ["compile_all", "retarget_clip"]


def compile_all(robot: RobotModel) -> None:
    """Compile all kernels that are not compiled yet, so that no later call waits: streaming, with a budget, and offline."""
    BodyRetargeter(robot, RetargetConfig(budget=1.0), lambda: 0.0)
    still = t_pose(0)
    clip = MotionClip(still.names, np.tile(still.position, (4, 1, 1)), np.tile(still.orientation_xyzw, (4, 1, 1)), 30.0)
    retarget_clip(robot, clip, config=RetargetConfig(sweeps=1))


def retarget_clip(
    robot: RobotModel,
    clip: MotionClip,
    fps: float = 30.0,
    mode: str = "offline",
    config: RetargetConfig | None = None,
    tick: Callable[[], None] = lambda: None,
) -> Trajectory:
    """Retarget a clip.

    Args:
        robot: The robot; its folder must hold ``retarget.yaml``.
        clip: The human's motion.
        fps: Frames a second of the result [Hz].
        mode: ``streaming`` (as live, no look-ahead) or ``offline`` (smoothed to both sides).
        config: Settings; None for the defaults.
        tick: Called after each frame of streaming, or each of ``config.sweeps + 1`` passes of offline mode.

    Raises:
        ClipError: A frame of the clip cannot be followed.
        ConfigError: The robot's table is unusable, or the mode is unknown.
    """
    if mode not in ("streaming", "offline"):
        raise ConfigError(f"mode is {mode!r}", fix="streaming or offline")
    retargeter = BodyRetargeter(robot, config)
    sampled = clip.resample(fps)
    if mode == "streaming":
        return _streamed(robot, retargeter, sampled, tick)
    humans, scale = retargeter.read_clip(sampled)
    settings = config or RetargetConfig()
    start = scale, robot.description.base_height
    motion = retarget_offline(retargeter.problem, settings, humans, 1.0 / fps, start, tick)
    return _trajectory(robot, fps, motion.position, motion.base_position, _quaternions(motion.base_rotation), motion.standing)


def _streamed(robot: RobotModel, retargeter: BodyRetargeter, clip: MotionClip, tick: Callable[[], None]) -> Trajectory:
    position, place, turn, contact = [], [], [], []
    for i in range(len(clip)):
        result = retargeter.step(clip.frames(i, round(i * 1e9 / clip.fps), True))
        if result.position is None:
            raise ClipError(f"frame {i} cannot be followed: {', '.join(result.reasons)}", where=clip.source)
        position.append(result.position)
        place.append(result.base_position)
        turn.append(result.base_orientation_xyzw)
        contact.append(result.contact)
        tick()
    return _trajectory(robot, clip.fps, np.array(position), np.array(place), np.array(turn), np.array(contact))


def _trajectory(
    robot: RobotModel, fps: float, position: FloatArray, place: FloatArray, turn: FloatArray, contact: NDArray[np.bool_]
) -> Trajectory:
    return Trajectory(robot.layout.names, position, place, turn, np.arange(len(position)) / fps, contact)


def _quaternions(rotation: FloatArray) -> FloatArray:
    result = np.empty((len(rotation), 4))
    for matrix, row in zip(rotation, result, strict=True):
        quaternion_of(matrix, row)
    return result
