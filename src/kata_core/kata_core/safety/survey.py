# SPDX-License-Identifier: Apache-2.0
"""What surrounds the robot right now: what a wish would violate, and the separations that could matter soon."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kata_core.arrays import FloatArray
from kata_core.compiled import kernel
from kata_core.retarget.tree import forward
from kata_core.safety.braking import SLACK
from kata_core.safety.efforts import inverse_dynamics
from kata_core.safety.inertia import inertia_matrix
from kata_core.safety.limits import fill_box
from kata_core.safety.plant import IntArray, Plant, Scratch
from kata_core.safety.program import Program, assemble
from kata_core.safety.separation import add_row, closing, gap, inside, place, sweep
from kata_core.verdict import JointFlag

__all__ = ["Asked", "Survey", "new_survey", "survey"]


INFLUENCE = 0.2
"""Room beyond which a separation does not slow its closing [m]; the check of the braking path sees it at any distance."""

_FAR_ENOUGH = 0.01
"""Room beyond margin and motion, more than the path check's own [m]."""
_EFFORT, _COLLISION = int(JointFlag.EFFORT), int(JointFlag.COLLISION)


class Asked(NamedTuple):
    """What a tick is asked to keep.

    Attributes:
        bounds: Rows lower, upper [rad], velocity and its change in a tick [rad/s], shape (4, n).
        margin: Distances at which separations begin to close no further, shape (m,), [m].
        ceiling: Most effort, shape (n,), [N·m].
    """

    bounds: FloatArray
    margin: FloatArray
    ceiling: FloatArray


class Survey(NamedTuple):
    """Results of `survey`; room for m separations of n joints.

    Attributes:
        box: Rows of least and largest velocity, shape (2, n), [rad/s].
        flags: `JointFlag` bits of the limits that acted on the wish, shape (n,), uint8.
        wanted: The wish within the box, shape (n,), [rad/s].
        effort: Efforts of that, shape (n,), [N·m].
        apart: Separations, shape (m,), [m]; old values where they are not close.
        close: Separations that a tick and braking after it could bring near, first entries, shape (m,).
        which: Separations that could be violated in the coming tick, first entries, shape (m,).
        row: Their gradients by the joints, shape (m, n), [m/rad].
        least: Least rate at which they may change, shape (m,), [m/s].
        inertia: Room, shape (n, n).
        travel: Room: how far each joint can move in a tick and braking, or how fast, shape (n,), [rad] or [rad/s].
    """

    box: FloatArray
    flags: NDArray[np.uint8]
    wanted: FloatArray
    effort: FloatArray
    apart: FloatArray
    close: IntArray
    which: IntArray
    row: FloatArray
    least: FloatArray
    inertia: FloatArray
    travel: FloatArray


class Found(NamedTuple):
    """How many there are of what a survey found.

    Attributes:
        close: Separations to watch on the path.
        near: Separations that could be violated in the coming tick.
        rows: Rows of the program, −1 if the wish needs none.
        collides: Whether the wish would bring parts of the robot too near to each other.
        leaves: Whether it would leave the workspace.
    """

    close: int
    near: int
    rows: int
    collides: bool
    leaves: bool


def new_survey(plant: Plant) -> Survey:
    """Return room for a plant's results."""
    n, m = len(plant.mass) - 1, len(plant.first)
    return Survey(
        box=np.zeros((2, n)),
        flags=np.zeros(n, dtype=np.uint8),
        wanted=np.zeros(n),
        effort=np.zeros(n),
        apart=np.zeros(m),
        close=np.zeros(m, dtype=np.int64),
        which=np.zeros(m, dtype=np.int64),
        row=np.zeros((m, n)),
        least=np.zeros(m),
        inertia=np.zeros((n, n)),
        travel=np.zeros(n),
    )


@kernel
def survey(
    plant: Plant,
    scratch: Scratch,
    result: Survey,
    program: Program,
    state: FloatArray,
    asked: Asked,
    cap: float,
    gain: float,
    recovery: float,
    period: float,
) -> Found:
    """Look around at a position; a separation d may close no faster than gain · (d − margin).

    Below its margin it must grow, at the recovery speed or as fast as the box of velocities lets it.

    Args:
        plant: The robot.
        scratch: Room.
        result: Receives what is found.
        program: Receives the program that finds the nearest admissible velocity, if the wish is not admissible.
        state: Rows position [rad], velocity and wished velocity [rad/s], shape (3, n).
        asked: What is to be kept.
        cap: Velocity limit of all joints beside their own [rad/s].
        gain: [1/s].
        recovery: [m/s].
        period: Tick [s].
    """
    n, wanted, box = state.shape[1], result.wanted, result.box
    result.flags[:] = 0
    fill_box(state, asked.bounds, period, cap, box[0], box[1], result.flags)
    for j in range(n):
        wanted[j] = min(max(state[2, j], box[0, j]), box[1, j])
    forward(plant.tree, state[0], scratch.pose)
    inverse_dynamics(plant, scratch, state[1], (wanted - state[1]) / period)
    acts = collides = leaves = False
    for j in range(n):
        result.effort[j] = scratch.effort[j]
        if abs(scratch.effort[j]) > asked.ceiling[j] + SLACK:
            result.flags[j] |= _EFFORT
            acts = True
    place(plant, scratch)
    close = _look_out(plant, scratch, result, asked, period)
    near = _rates(plant, scratch, result, close, asked.margin, gain, recovery)
    for c in range(near):
        if _blocked(result.row, c, wanted, result.least, result.flags):
            border = plant.border[result.which[c]]
            collides, leaves = collides or not border, leaves or border
    if not (acts or collides or leaves):
        return Found(close, near, -1, False, False)
    inertia_matrix(plant, scratch, result.inertia)
    rows = assemble(program, box, wanted, result.inertia, result.effort, asked.ceiling, period, result.row, result.least, near)
    return Found(close, near, rows, collides, leaves)


@kernel
def _blocked(row: FloatArray, c: int, wanted: FloatArray, least: FloatArray, flags: NDArray[np.uint8]) -> bool:
    """Return whether a wish closes a separation too fast, and flag the joints that have a part in it."""
    rate = 0.0
    for j in range(len(wanted)):
        rate += row[c, j] * wanted[j]
    if rate >= least[c] - SLACK:
        return False
    for j in range(len(wanted)):
        if abs(row[c, j]) > 1e-6:
            flags[j] |= _COLLISION
    return True


@kernel
def _look_out(plant: Plant, scratch: Scratch, result: Survey, asked: Asked, period: float) -> int:
    """List the separations that could matter in this tick and in braking after it; return their number.

    Most are ruled out by the distance of the capsules' circumscribed balls and by how far each capsule can move.
    """
    first, second, clearance, normal, offset = plant.first, plant.second, plant.clearance, plant.normal, plant.offset
    reach, radius, extent, ends, pair, swept = plant.reach, plant.radius, plant.extent, scratch.ends, scratch.pair, scratch.sweep
    margin, travel, apart, close, gaps, count = asked.margin, result.travel, result.apart, result.close, plant.gaps, 0
    for j in range(len(travel)):
        v, change = max(abs(result.box[0, j]), abs(result.box[1, j])), asked.bounds[3, j]
        travel[j] = period * (v + 0.5 * v * v / change + change)
    sweep(plant.lever, travel, swept)
    for m in range(gaps):
        a, b, contact = first[m], second[m], clearance[m] + margin[m]
        x = ends[a, 0, 0] + ends[a, 1, 0] - ends[b, 0, 0] - ends[b, 1, 0]
        y = ends[a, 0, 1] + ends[a, 1, 1] - ends[b, 0, 1] - ends[b, 1, 1]
        z = ends[a, 0, 2] + ends[a, 1, 2] - ends[b, 0, 2] - ends[b, 1, 2]
        need = 2.0 * (extent[a] + extent[b] + contact + max(INFLUENCE, _FAR_ENOUGH + swept[a] + swept[b]))
        if need > 0.0 and x * x + y * y + z * z > need * need:
            continue
        room = gap(ends, a, b, radius, pair) - contact
        if room <= INFLUENCE or room <= _FAR_ENOUGH + closing(reach, m, travel):
            apart[m], close[count] = room + margin[m], m
            count += 1
    for m in range(gaps, len(first)):
        apart[m], close[count] = inside(ends, first[m], radius, normal, offset, m, pair), m
        count += 1
    return count


@kernel
def _rates(plant: Plant, scratch: Scratch, result: Survey, close: int, margin: FloatArray, gain: float, recovery: float) -> int:
    """Write the gradients and least rates of the separations that the coming tick could violate; return their number."""
    first, second, body, radius, normal, offset = plant.first, plant.second, plant.body, plant.radius, plant.normal, plant.offset
    parent, prismatic, axis, origin = plant.tree.parent, plant.tree.prismatic, scratch.pose.axis, scratch.pose.position
    ends, pair, rows, box, gaps = scratch.ends, scratch.pair, result.row, result.box, plant.gaps
    reach, fastest, swept, count = plant.reach, result.travel, scratch.sweep, 0
    for j in range(len(fastest)):
        fastest[j] = max(abs(box[0, j]), abs(box[1, j]))
    sweep(plant.lever, fastest, swept)
    for i in range(close):
        m = result.close[i]
        room = result.apart[m] - margin[m]
        a, b, least = first[m], second[m], -gain * room
        if room > INFLUENCE or -swept[a] - swept[b] >= least or -closing(reach, m, fastest) >= least:
            continue
        if m < gaps:
            gap(ends, a, b, radius, pair)
        else:
            inside(ends, a, radius, normal, offset, m, pair)
        for j in range(len(fastest)):
            rows[count, j] = 0.0
        add_row(parent, prismatic, axis, origin, pair, body[a], body[b] if m < gaps else 0, rows[count])
        lowest = highest = 0.0
        for j in range(len(fastest)):
            g = rows[count, j]
            lowest += g * (box[0, j] if g > 0.0 else box[1, j])
            highest += g * (box[1, j] if g > 0.0 else box[0, j])
        result.least[count] = min(least, recovery, highest - 0.1 * abs(highest))
        if lowest < result.least[count]:
            result.which[count] = m
            count += 1
    return count
