# SPDX-License-Identifier: Apache-2.0
"""A policy at the wheel: from joint states and objects to targets, while engaged."""

from collections.abc import Mapping

import numpy as np

from kata_core.arrays import FloatArray
from kata_core.joints import JointCommand, JointState
from kata_core.observation import Observer
from kata_core.policy.ensemble import TemporalEnsemble
from kata_core.policy.onnx_policy import OnnxPolicy
from kata_core.robot import RobotModel

__all__ = ["Pilot"]


class Pilot:
    """Moves a policy's joints and holds all others where they were at engage."""

    def __init__(self, robot: RobotModel, policy: OnnxPolicy, decay: float = 0.01) -> None:
        """Prepare for a robot that the policy fits.

        Args:
            robot: The robot.
            policy: The policy, already held against the robot by `OnnxPolicy.load`.
            decay: Weighting of overlapping chunks, see `TemporalEnsemble`.
        """
        contract = policy.contract
        self._robot = robot
        self._policy = policy
        self._observer = Observer(robot, [term.name for term in contract.terms], contract.joint_names)
        self._moved = robot.layout.indices(contract.joint_names)
        self._ensemble = TemporalEnsemble(contract.horizon, decay)
        self._held: FloatArray | None = None

    @property
    def engaged(self) -> bool:
        """Whether the policy moves the robot."""
        return self._held is not None

    def engage(self, state: JointState | None) -> str:
        """Take over from where the robot is; return why that is refused, or an empty string."""
        if state is None:
            return "no joint state has come in yet"
        self._held = np.array(state.position)
        self._ensemble.clear()
        return ""

    def disengage(self) -> str:
        """Let go; always possible, so the answer is an empty string."""
        self._held = None
        return ""

    def step(self, state: JointState | None, objects: Mapping[str, FloatArray]) -> JointCommand | None:
        """Return the target for one tick at the policy's rate, stamped as the state it was decided on.

        Args:
            state: The newest joint state.
            objects: Object positions in the base's frame by name, shape (3,), [m].

        Returns:
            None while disengaged, or while the state or an object that the policy observes is missing.
        """
        if self._held is None or state is None:
            return None
        observation = self._observer.observe(state, objects)
        if observation is None:
            return None
        position = self._held.copy()
        position[self._moved] = self._ensemble.push(self._policy.act(observation))
        return JointCommand.at(state.stamp, position, self._robot.stiffness, self._robot.damping)
