# SPDX-License-Identifier: Apache-2.0
"""Motion retargeting as a library: poses of a person in, joint positions of a robot out (docs/retargeting.md)."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from kata_model.arrays import frozen
from kata_model.errors import ConfigError
from kata_model.frames import BODIES, HumanFrames
from kata_model.joints import JointState
from kata_model.robot import RobotModel, load_robot
from kata_retarget.body import BodyRetargeter
from kata_retarget.config import RetargetConfig
from kata_retarget.hands import HandsConfig, HandsRetargeter
from kata_retarget.types import Retargeted

__all__ = ["Retargeter"]

_Step = Callable[[HumanFrames, ArrayLike | None], Retargeted]


class Retargeter:
    """Retargets a person to a robot, sample by sample, without look-ahead; needs no ROS.

    The whole body is followed in position and orientation (``HumanFrames`` has the conventions); hands are followed
    relatively: their displacement since the first sample is repeated from where the robot's hands were.
    """

    def __init__(
        self, robot: str | RobotModel, config: RetargetConfig | HandsConfig | None = None, *, rate: float = 60.0
    ) -> None:
        """Load and calibrate the robot; for a body, kernels are compiled the first time on a machine (a minute or two).

        Args:
            robot: A robot, or name or path of its folder of data, e.g. ``g1``.
            config: `RetargetConfig` for the whole body (None: its defaults), `HandsConfig` for hands alone.
            rate: Of samples that carry no stamp [Hz].

        Raises:
            ConfigError: The robot's ``retarget.yaml`` is unusable, or the rate is not above 0.
            RobotError: There is no such robot.
        """
        if not 0.0 < rate < float("inf"):
            raise ConfigError(f"rate is {rate} Hz", where="Retargeter", fix="a finite number above 0")
        self._robot = load_robot(robot) if isinstance(robot, str) else robot
        self._step = self._follow_hands(config) if isinstance(config, HandsConfig) else self._follow_body(config)
        self._period, self._stamp = round(1e9 / rate), 0

    @property
    def robot(self) -> RobotModel:
        """The robot."""
        return self._robot

    def step(self, frame: Mapping[str, ArrayLike] | HumanFrames, position: ArrayLike | None = None) -> Retargeted:
        """Follow one sample.

        Args:
            frame: Poses by body (`BODIES`): position [m] and xyzw quaternion in a world with z up, shape (7,); a body
                that is not seen is left out, or NaN. Or a sample that has a stamp and says whether it counts.
            position: The robot's joints as measured, shape (n,), [rad], from which hands set out when they engage;
                None for where they were led last, at first the rest posture. A body needs none.

        Returns:
            The posture, its joints by name in `Retargeted.joints`; none, and the reasons, where the sample is refused.

        Raises:
            ConfigError: A body's name is unknown.
            ValueError: A pose or the position has another shape.
        """
        frames = frame if isinstance(frame, HumanFrames) else self._frames_of(frame)
        self._stamp = frames.stamp
        return self._step(frames, position)

    def _follow_body(self, config: RetargetConfig | None) -> _Step:
        body = BodyRetargeter(self._robot, config)
        return lambda frames, _: body.step(frames)

    def _follow_hands(self, config: HandsConfig) -> _Step:
        hands, layout = HandsRetargeter(self._robot, config), self._robot.layout
        position, still = np.array(self._robot.rest), np.zeros(len(layout))

        def step(frames: HumanFrames, measured: ArrayLike | None) -> Retargeted:
            nonlocal position
            position = position if measured is None else frozen("position", measured, (len(layout),))
            result = hands.step(frames, JointState(frames.stamp, position, still, still))
            position = position if result.position is None else result.position
            return result

        return step

    def _frames_of(self, frame: Mapping[str, ArrayLike]) -> HumanFrames:
        """Return a sample that comes one period after the last one."""
        if unknown := set(frame) - set(BODIES):
            raise ConfigError(f"there is no body {min(unknown)!r}", where="frame", fix=f"bodies are {', '.join(BODIES)}")
        poses = np.array([frozen(body, pose, (7,)) for body, pose in frame.items()]).reshape(-1, 7)
        stamp = self._stamp + self._period
        return HumanFrames(stamp, "caller", True, tuple(frame), poses[:, :3], poses[:, 3:], np.ones(len(poses)))
