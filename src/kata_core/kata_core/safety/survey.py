# SPDX-License-Identifier: Apache-2.0
"""What surrounds the robot right now: separations, the constraints they put on velocities, efforts of a wish."""

from typing import NamedTuple

import numpy as np

from kata_core.arrays import FloatArray
from kata_core.compiled import kernel
from kata_core.retarget.tree import forward
from kata_core.safety.efforts import inverse_dynamics
from kata_core.safety.plant import IntArray, Plant, Scratch
from kata_core.safety.separation import add_row, gap, inside, place

__all__ = ["Survey", "new_survey", "survey"]


INFLUENCE = 0.2
"""Room beyond which a separation does not slow its closing [m]; the check of the braking path sees it at any distance."""

_FAR_ENOUGH = 0.01
"""Room beyond margin and motion, more than the path check's own [m]."""


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
    change: FloatArray,
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
        change: Change of velocity in a tick of braking, shape (n,), [rad/s].

    Returns:
        Number of constraints, the used entries of which, row and least.
    """
    joints, reach, spread, gaps, n = plant.joints, plant.reach, plant.spread, plant.gaps, state.shape[1]
    first, second, body, radius, normal, offset = plant.first, plant.second, plant.body, plant.radius, plant.normal, plant.offset
    parent, prismatic, axis, origin = plant.tree.parent, plant.tree.prismatic, scratch.pose.axis, scratch.pose.position
    ends, pair, rows = scratch.ends, scratch.pair, result.row
    forward(plant.tree, state[0], scratch.pose)
    inverse_dynamics(plant, scratch, state[1], (state[2] - state[1]) / period)
    result.effort[:] = scratch.effort
    place(plant, scratch)
    quick = _quickest(box)
    _look_out(plant, scratch, result.apart, margin, _furthest(box, change, period))
    count = 0
    for m in range(len(margin)):
        room = result.apart[m] - margin[m]
        least = -gain * room
        if room > INFLUENCE or -spread[m] * quick >= least or -_fastest(joints, reach, m, box) >= least:
            continue
        a, b = first[m], second[m]
        if m < gaps:
            gap(ends, a, b, radius, pair)
        else:
            inside(ends, a, radius, normal, offset, m, pair)
        for j in range(n):
            rows[count, j] = 0.0
        add_row(parent, prismatic, axis, origin, pair, body[a], body[b] if m < gaps else 0, rows[count])
        lowest = highest = 0.0
        for j in range(n):
            g = rows[count, j]
            lowest += g * (box[0, j] if g > 0.0 else box[1, j])
            highest += g * (box[1, j] if g > 0.0 else box[0, j])
        result.least[count] = min(least, recovery, highest - 0.1 * abs(highest))
        if lowest < result.least[count]:
            result.which[count] = m
            count += 1
    return count


@kernel
def _fastest(joints: IntArray, reach: FloatArray, m: int, box: FloatArray) -> float:
    """Return how fast a separation can change at most with velocities in a box [m/s]."""
    total = 0.0
    for k in range(joints.shape[1]):
        j = joints[m, k]
        if j < 0:
            break
        total += reach[m, j] * max(abs(box[0, j]), abs(box[1, j]))
    return total


@kernel
def _quickest(box: FloatArray) -> float:
    """Return the largest velocity that any joint may take [rad/s]."""
    most = 0.0
    for j in range(box.shape[1]):
        most = max(most, abs(box[0, j]), abs(box[1, j]))
    return most


@kernel
def _furthest(box: FloatArray, change: FloatArray, period: float) -> float:
    """Return how far any joint can move at most in this tick and in braking after it [rad]."""
    most = 0.0
    for j in range(box.shape[1]):
        v = max(abs(box[0, j]), abs(box[1, j]))
        most = max(most, period * (v + 0.5 * v * v / change[j] + change[j]))
    return most


@kernel
def _look_out(plant: Plant, scratch: Scratch, apart: FloatArray, margin: FloatArray, travel: float) -> None:
    """Write all separations, of those that no motion within travel [rad] can make matter only a lower bound [m].

    The bound is the distance of the capsules' circumscribed balls.
    """
    ends, radius, pair, extent, spread = scratch.ends, plant.radius, scratch.pair, plant.extent, plant.spread
    first, second, clearance, normal, offset = plant.first, plant.second, plant.clearance, plant.normal, plant.offset
    for m in range(plant.gaps):
        a, b = first[m], second[m]
        x = 0.5 * (ends[a, 0, 0] + ends[a, 1, 0] - ends[b, 0, 0] - ends[b, 1, 0])
        y = 0.5 * (ends[a, 0, 1] + ends[a, 1, 1] - ends[b, 0, 1] - ends[b, 1, 1])
        z = 0.5 * (ends[a, 0, 2] + ends[a, 1, 2] - ends[b, 0, 2] - ends[b, 1, 2])
        need = extent[a] + extent[b] + clearance[m] + margin[m] + max(INFLUENCE, _FAR_ENOUGH + spread[m] * travel)
        square = x * x + y * y + z * z
        if need > 0.0 and square > need * need:
            apart[m] = np.sqrt(square) - extent[a] - extent[b] - clearance[m]
        else:
            apart[m] = gap(ends, a, b, radius, pair) - clearance[m]
    for m in range(plant.gaps, len(first)):
        apart[m] = inside(ends, first[m], radius, normal, offset, m, pair)
