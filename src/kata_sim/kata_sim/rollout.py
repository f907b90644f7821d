# SPDX-License-Identifier: Apache-2.0
"""One attempt at a task without ROS: for evaluation, tests and experts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from kata_model.arrays import FloatArray, frozen
from kata_model.joints import JointCommand, JointState
from kata_sim.simulation import Simulation

__all__ = ["Controller", "Rollout", "run_rollout"]

Controller = Callable[[JointState, Mapping[str, FloatArray]], JointCommand | None]
"""Gets the measured joints and the objects' poses, shape (7,), base's frame; gives a command (None: the last one stays)."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """What happened in one attempt, at N ticks of the controller.

    Attributes:
        success: Whether the task's criterion held.
        elapsed: Time until success, or until the end [s].
        stamp: Shape (N,), [s] since the reset.
        measured: Joint positions, shape (N, n), [rad], layout order.
        commanded: Joint positions of the command in force, shape (N, n), [rad]; NaN before the first.
    """

    success: bool
    elapsed: float
    stamp: FloatArray
    measured: FloatArray
    commanded: FloatArray


def run_rollout(
    simulation: Simulation, controller: Controller, *, seed: int | list[int], rate: float = 250.0, timeout: float = 10.0
) -> Rollout:
    """Reset with a seed and let a controller act until success or timeout.

    Args:
        simulation: Robot, scene and task.
        controller: Called at each tick.
        seed: Of the reset.
        rate: Of the controller [Hz]; must divide the rate of physics.
        timeout: Longest duration [s].

    Raises:
        ValueError: The rate does not divide the rate of physics.
    """
    steps = _steps_per_tick(simulation, rate)
    simulation.reset(seed)
    stamps, measured, commanded = [], [], []
    last = np.full(len(simulation.robot.layout), np.nan)
    for tick in range(round(timeout * rate)):
        state = simulation.joint_state()
        command = controller(state, simulation.objects())
        if command is not None:
            simulation.command(command)
            last = command.position
        stamps.append(tick / rate)
        measured.append(state.position)
        commanded.append(last)
        simulation.step(steps)
        if simulation.task_state().success:
            break
    task = simulation.task_state()
    shape = (len(stamps), len(last))
    return Rollout(
        success=task.success,
        elapsed=task.elapsed,
        stamp=frozen("stamp", stamps, shape[:1]),
        measured=frozen("measured", measured, shape),
        commanded=frozen("commanded", commanded, shape),
    )


def _steps_per_tick(simulation: Simulation, rate: float) -> int:
    steps = 1.0 / (rate * simulation.config.timestep)
    if abs(steps - round(steps)) > 1e-6 or round(steps) < 1:
        raise ValueError(f"a rate of {rate} Hz does not divide that of physics, {1.0 / simulation.config.timestep:.0f} Hz")
    return round(steps)
