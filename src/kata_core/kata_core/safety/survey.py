# SPDX-License-Identifier: Apache-2.0
"""What surrounds the robot right now: separations, the constraints they put on velocities, efforts of a wish."""

from typing import NamedTuple

import numpy as np

from kata_core.arrays import FloatArray
from kata_core.compiled import kernel
from kata_core.retarget.tree import forward
from kata_core.safety.efforts import inverse_dynamics
from kata_core.safety.plant import IntArray, Plant, Scratch
from kata_core.safety.separation import place, separation, separation_row, separations

__all__ = ["Survey", "new_survey", "survey"]


class Survey(NamedTuple):
    """Results of `survey`; room for m separations of n joints.

    Attributes:
        apart: All separations, shape (m,), [m].
        which: Separations that could be violated in the coming tick, first entries, shape (m,).
        row: Their gradients by the joints, shape (m, n), [m/rad].
        least: Least rate at which they may change, shape (m,), [m/s].
        effort: Efforts of the wish, shape (n,), [N·m].
    """

    apart: FloatArray
    which: IntArray
    row: FloatArray
    least: FloatArray
    effort: FloatArray


def new_survey(plant: Plant) -> Survey:
    """Return room for a plant's results."""
    n, m = len(plant.mass) - 1, len(plant.first)
    return Survey(np.zeros(m), np.zeros(m, dtype=np.int64), np.zeros((m, n)), np.zeros(m), np.zeros(n))


@kernel
def survey(
    plant: Plant,
    scratch: Scratch,
    result: Survey,
    state: FloatArray,
    box: FloatArray,
    margin: FloatArray,
    gain: float,
    recovery: float,
    period: float,
) -> int:
    """Look around at a position; a separation d may close no faster than gain · (d − margin).

    Below its margin it must grow, at the recovery speed or as fast as the box of velocities lets it.

    Args:
        plant: The robot.
        scratch: Room.
        result: Receives what is found.
        state: Rows position [rad], velocity and wished velocity [rad/s], shape (3, n).
        box: Rows of least and largest velocity, shape (2, n), [rad/s].
        margin: Distances to keep, shape (m,), [m].
        gain: [1/s].
        recovery: [m/s].
        period: Tick [s].

    Returns:
        Number of constraints, the used entries of which, row and least.
    """
    joints, reach = plant.joints, plant.reach
    forward(plant.tree, state[0], scratch.pose)
    inverse_dynamics(plant, scratch, state[1], (state[2] - state[1]) / period)
    result.effort[:] = scratch.effort
    place(plant, scratch)
    separations(plant, scratch, result.apart)
    count = 0
    for m in range(len(margin)):
        least = -gain * (result.apart[m] - margin[m])
        fastest = 0.0
        for k in range(joints.shape[1]):
            j = joints[m, k]
            if j < 0:
                break
            fastest += reach[m, j] * max(abs(box[0, j]), abs(box[1, j]))
        if -fastest >= least:
            continue
        separation(plant, scratch, m)
        separation_row(plant, scratch, m, result.row[count])
        lowest = highest = 0.0
        for j in range(len(state[0])):
            g = result.row[count, j]
            lowest += g * (box[0, j] if g > 0.0 else box[1, j])
            highest += g * (box[1, j] if g > 0.0 else box[0, j])
        result.least[count] = min(least, recovery, highest - 0.1 * abs(highest))
        if lowest < result.least[count]:
            result.which[count] = m
            count += 1
    return count
