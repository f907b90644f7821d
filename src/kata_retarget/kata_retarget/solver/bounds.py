# SPDX-License-Identifier: Apache-2.0
"""Where joints may be in a frame: limits of position, velocity and acceleration that stay satisfiable.

A joint that moves at v towards a limit at distance d is admissible if it can brake before it: v² / 2a ≤ d. After a
frame of length T at velocity v', what is left must again be enough: v'² / 2a + v' T ≤ d, hence
v' ≤ a (√(T² + 2d / a) − T). From an admissible state v' = v − a T, or 0, always satisfies this, whatever T is, so
bounds of acceleration and position never contradict each other. Where frames are so far apart that the largest step
does, acceleration gives way.
"""

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.compiled import kernel
from kata_retarget.solver.problem import Problem
from kata_retarget.solver.state import Memory

__all__ = ["bound_between", "bound_motion"]


@kernel
def bound_motion(problem: Problem, memory: Memory, dt: float) -> None:
    """Set the bounds of a frame that is dt seconds after the last."""
    most = problem.settings.max_acceleration
    for i in range(len(memory.before)):
        start = memory.before[i]
        reach = min(problem.max_velocity[i] * dt, problem.settings.max_step)
        up = min(reach, _braking_step(problem.upper[i] - start, most, dt))
        down = min(reach, _braking_step(start - problem.lower[i], most, dt))
        same = memory.change[i] * dt / memory.dt[0] if memory.dt[0] > 0.0 else 0.0
        memory.low[i] = start + min(max(same - most * dt * dt, -down), up)
        memory.high[i] = start + min(max(same + most * dt * dt, -down), up)


@kernel
def _braking_step(distance: float, most: float, dt: float) -> float:
    """Return the longest step towards a limit after which braking still ends before it [rad]."""
    room = max(0.0, distance)
    return float(min(room, most * dt * (np.sqrt(dt * dt + 2.0 * room / most) - dt)))


@kernel
def bound_between(problem: Problem, position: FloatArray, i: int, dt: float, low: FloatArray, high: FloatArray) -> None:
    """Write the bounds of frame i of a whole motion, its neighbours being held.

    Args:
        problem: The robot.
        position: Joint positions of all frames, shape (N, n), [rad].
        i: The frame.
        dt: Time between frames [s].
        low: Receives lower bounds, shape (n,), [rad].
        high: Receives upper bounds, shape (n,), [rad].
    """
    count, bend = len(position), problem.settings.max_acceleration * dt * dt
    for j in range(len(low)):
        reach = min(problem.max_velocity[j] * dt, problem.settings.max_step)
        own = position[i, j]
        least, most = problem.lower[j], problem.upper[j]
        for other in (i - 1, i + 1):
            if 0 <= other < count:
                least, most = max(least, position[other, j] - reach), min(most, position[other, j] + reach)
        for way in (-1, 1):
            if 0 <= i + 2 * way < count:
                straight = 2.0 * position[i + way, j] - position[i + 2 * way, j]
                least, most = max(least, straight - bend), min(most, straight + bend)
        if 0 < i < count - 1:
            middle = 0.5 * (position[i - 1, j] + position[i + 1, j])
            least, most = max(least, middle - 0.5 * bend), min(most, middle + 0.5 * bend)
        # The frame itself satisfies the bounds but for rounding.
        low[j], high[j] = min(least, own), max(most, own)
