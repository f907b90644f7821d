# SPDX-License-Identifier: Apache-2.0
"""The observation and action of the G1 walking experts in PyPI's holosoma-inference (Apache-2.0), rebuilt from facts.

Facts, from version 0.1.3: the ONNX files' metadata (``dof_names``, ``kp``, ``kd``) and the package's configuration
``loco_g1_29dof`` (terms in alphabetical order, scales, posture, action scale 0.25, 50 Hz, a gait of 1 s). No code is taken over.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.errors import ConfigError
from kata_model.joints import JointCommand, JointLayout
from kata_sim import Stride

__all__ = ["ACTIONS", "OBSERVATION", "Gait", "GaitFacts"]

OBSERVATION, ACTIONS = 100, 29

_TURN_SCALE, _SPEED_SCALE, _ACTION_SCALE = 0.25, 0.05, 0.25
_PERIOD = 1.0
"""Of the gait [s]."""
_STILL = 0.01
"""Commands below this mean standing [m/s] or [rad/s]."""
_LEG = {"hip_pitch": -0.312, "knee": 0.669, "ankle_pitch": -0.363}
_ARM = {"shoulder_pitch": 0.2, "shoulder_roll": 0.2, "elbow": 0.6}
_MIRRORED = "shoulder_roll"
STANCE_HEIGHT = 0.76
"""Of the pelvis in that posture, a little over the floor [m]."""


@dataclass(frozen=True, slots=True)
class GaitFacts:
    """What an expert's file says.

    Attributes:
        joint_names: Order of its joints.
        stiffness: Shape (29,), [N·m/rad].
        damping: Shape (29,), [N·m·s/rad].
    """

    joint_names: tuple[str, ...]
    stiffness: FloatArray
    damping: FloatArray


class Gait:
    """Observes as an expert does, and turns its actions into commands; keeps phase and last action.

    Args:
        layout: The robot's joint order.
        facts: Of the expert.
        rate: Of decisions [Hz].

    Raises:
        ConfigError: The expert moves other joints than the robot has.
    """

    def __init__(self, layout: JointLayout, facts: GaitFacts, rate: float) -> None:
        """Bring the expert's joints into the robot's order."""
        if set(facts.joint_names) != set(layout.names):
            odd = sorted(set(facts.joint_names) ^ set(layout.names))
            raise ConfigError(f"the expert moves other joints than the robot has: {', '.join(odd[:4])}")
        self._to_layout = np.array([facts.joint_names.index(name) for name in layout.names])
        self._from_layout = np.array(layout.indices(facts.joint_names))
        self.posture: FloatArray = np.array([_rest(name) for name in layout.names])
        self._stiffness, self._damping = facts.stiffness[self._to_layout], facts.damping[self._to_layout]
        self._advance = 2.0 * np.pi / (rate * _PERIOD)
        self.reset()

    def reset(self) -> None:
        """Begin a gait."""
        self._phase, self._stood = np.array([0.0, np.pi]), False
        self.last: NDArray[np.float32] = np.zeros(ACTIONS, dtype=np.float32)
        """The last action, which is observed."""

    def observe(self, stride: Stride) -> NDArray[np.float32]:
        """Advance the phase by a step and return the observation, shape (100,)."""
        self._step_phase(stride.command)
        offset = (stride.joints.position - self.posture)[self._from_layout]
        speed = _SPEED_SCALE * stride.joints.velocity[self._from_layout]
        terms = (
            *(self.last, _TURN_SCALE * stride.turning, stride.command[2:], stride.command[:2], np.cos(self._phase)),
            *(offset, speed, stride.gravity, np.sin(self._phase)),
        )
        return np.concatenate(terms).astype(np.float32)

    def act(self, action: NDArray[np.float32], stamp: int) -> JointCommand:
        """Return the command for an action, shape (29,), and remember it; the stamp is the observation's [ns]."""
        self.last = action
        position = self.posture + _ACTION_SCALE * action.astype(float)[self._to_layout]
        return JointCommand.at(stamp, position, self._stiffness, self._damping)

    def _step_phase(self, command: FloatArray) -> None:
        if not np.abs(command).max() >= _STILL:
            self._phase, self._stood = np.array([np.pi, np.pi]), True
        elif self._stood:
            self._phase, self._stood = np.array([0.0, np.pi]), False
        else:
            self._phase = np.mod(self._phase + self._advance + np.pi, 2.0 * np.pi) - np.pi


def _rest(joint: str) -> float:
    """Return where a joint stands in the posture that actions are added to [rad]."""
    side, _, part = joint.removesuffix("_joint").partition("_")
    angle = {**_LEG, **_ARM}.get(part, 0.0)
    return -angle if side == "right" and part == _MIRRORED else angle
