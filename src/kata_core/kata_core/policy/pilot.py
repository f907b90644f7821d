# SPDX-License-Identifier: Apache-2.0
"""A policy at the wheel: from joint states and objects to targets, while engaged."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from kata_core.arrays import FloatArray
from kata_core.joints import JointCommand, JointState
from kata_core.observation import Observer
from kata_core.policy.ensemble import TemporalEnsemble
from kata_core.policy.monitor import UNMONITORED, Certainty, Judgement, PolicyMonitor
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
        names = tuple(term.name for term in contract.terms)
        self._monitor = PolicyMonitor(contract.monitor, names) if contract.monitor else None
        self._held: FloatArray | None = None
        self.judgement: Judgement = UNMONITORED
        """How far the policy was to be trusted at the last step."""

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
        self._forget()
        return ""

    def disengage(self) -> str:
        """Let go; always possible, so the answer is an empty string."""
        self._held = None
        self._forget()
        return ""

    def _forget(self) -> None:
        self.judgement = UNMONITORED
        if self._monitor is not None:
            self._monitor.reset()

    def step(self, state: JointState | None, objects: Mapping[str, FloatArray]) -> JointCommand | None:
        """Return the target for one tick at the policy's rate, stamped as the state it was decided on.

        `judgement` then says whether it should be followed; that is for the safety filter to decide.

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
            self._miss()
            return None
        position = self._held.copy()
        chunk = self._policy.act(observation)
        self._judge(observation, chunk)
        position[self._moved] = self._ensemble.push(chunk)
        return JointCommand.at(state.stamp, position, self._robot.stiffness, self._robot.damping)

    def _miss(self) -> None:
        """Note that a step is left out; the next chunk does not follow the last one."""
        if self._monitor is not None:
            self._monitor.miss()

    def _judge(self, observation: Mapping[str, NDArray[np.float32]], chunk: FloatArray) -> None:
        """Ask the monitor; chunks of a policy that was unsure must not linger in the motion."""
        if self._monitor is not None:
            self.judgement = self._monitor.judge(observation, chunk)
        if self.judgement.certainty is Certainty.UNSURE:
            self._ensemble.clear()
