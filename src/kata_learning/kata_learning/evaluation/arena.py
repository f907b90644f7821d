# SPDX-License-Identifier: Apache-2.0
"""Where a policy attempts a task: a simulated robot, through the safety filter that the real one runs."""

from collections import Counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kata_learning.evaluation.policy_loop import PolicyLoop
from kata_model.errors import ConfigError
from kata_model.robot import RobotModel
from kata_policy import Certainty, PolicyContract
from kata_policy.observation import CameraSpec, Observer
from kata_policy.onnx_policy import OnnxPolicy
from kata_policy.pictures import shrink
from kata_policy.running.runner import RunnerConfig
from kata_safety import SafetyConfig

__all__ = ["Arena", "Attempt"]

_CAMERA = "head"
"""The only camera that is simulated."""


class Attempt(NamedTuple):
    """What came of one rollout; as in `EvaluationResult`."""

    success: bool
    seconds: float
    statuses: Counter[str]
    reasons: Counter[str]
    certainties: Counter[Certainty]


class Arena:
    """A simulated robot with a policy, where an attempt is the same whatever was attempted before."""

    def __init__(self, robot: RobotModel, policy: OnnxPolicy, task: str, timeout: float = 0.0) -> None:
        """Build the scene.

        Args:
            robot: The robot.
            policy: A policy that fits it.
            task: Name of the task.
            timeout: Longest duration of an attempt [s]; 0 for the task's own.

        Raises:
            ConfigError: The robot has no such task, or the task does not show what the policy observes.
        """
        from kata_sim import Simulation

        self._robot, self._policy, self._safety = robot, policy, SafetyConfig()
        self._simulation = Simulation(robot, task=task)
        self._timeout = timeout or (self._simulation.task.timeout if self._simulation.task else 0.0)
        _check(robot, policy.contract, task, set(self._simulation.objects()))

    def attempt(self, seed: int, delay: int = 0) -> Attempt:
        """Return what comes of an attempt.

        Args:
            seed: Of the scene, and of the noise that the policy may take.
            delay: Steps that inference is made to take.
        """
        from kata_sim import run_rollout

        loop = PolicyLoop(self._robot, self._policy, self._safety, RunnerConfig(seed=seed), delay=delay, look=self._look)
        rollout = run_rollout(self._simulation, loop, seed=seed, rate=self._safety.rate, timeout=self._timeout)
        return Attempt(rollout.success, rollout.elapsed, loop.statuses, loop.reasons, loop.certainties)

    def _look(self, camera: CameraSpec) -> NDArray[np.uint8] | None:
        """Return what the head camera sees, in the size that a policy takes."""
        if camera.name != _CAMERA:
            return None
        picture = shrink(np.asarray(self._simulation.render()), camera.height)
        return picture if picture.shape == camera.shape else None

    def close(self) -> None:
        """Free what rendering holds."""
        self._simulation.close()


def _check(robot: RobotModel, contract: PolicyContract, task: str, there: set[str]) -> None:
    """Refuse a policy that would wait for ever for what the simulated task does not show."""
    observer = Observer(robot, [term.name for term in contract.terms], contract.joint_names)
    foreign = [
        *(name for name in observer.objects if name not in there),
        *(f"sensor {name}" for name in observer.wrenches),
        *(f"camera {camera.name}" for camera in contract.cameras if camera.name != _CAMERA),
    ]
    if foreign:
        what = f"the policy, trained for {contract.task}, observes {', '.join(foreign)}; {task} shows {', '.join(sorted(there))}"
        raise ConfigError(what, fix="choose another task by --task, or leave it out for the policy's own")
