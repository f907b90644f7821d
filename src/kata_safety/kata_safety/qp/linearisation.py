# SPDX-License-Identifier: Apache-2.0
"""Constraint linearisation and broad phase: what a desired velocity would violate, and the separations that matter soon.

The rows are velocity dampers (Faverjon & Tournassoud 1987); the broad phase rules pairs out by bounding spheres and motion.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_model.compiled import kernel
from kata_model.kinematics.tree import forward
from kata_model.verdict import JointFlag
from kata_safety.limits import fill_box
from kata_safety.qp.braking import SLACK
from kata_safety.qp.dynamics_model import DynamicsModel, IntArray, Scratch
from kata_safety.qp.efforts import inverse_dynamics
from kata_safety.qp.inertia import inertia_matrix
from kata_safety.qp.qp_assembly import assemble
from kata_safety.qp.quadratic_program import Program
from kata_safety.qp.separation import add_row, gap, inside, place, sweep

__all__ = ["Found", "Linearisation", "linearise", "new_linearisation"]


INFLUENCE = 0.2
"""Room beyond which a separation does not slow its closing [m]; the check of the braking path sees it at any distance."""

_FAR_ENOUGH = 0.01
"""Room beyond margin and motion, more than the path check's own [m]."""
_EFFORT, _COLLISION = int(JointFlag.EFFORT), int(JointFlag.COLLISION)


class Linearisation(NamedTuple):
    """Results of `linearise`; room for m separations of n joints.

    Attributes:
        box: Rows of least and largest velocity, shape (2, n), [rad/s].
        flags: `JointFlag` bits of the limits that acted on the wish, shape (n,), uint8.
        wanted: The wish within the box, shape (n,), [rad/s].
        effort: Efforts of that, shape (n,), [N·m].
        apart: Separations, shape (m,), [m]; old values where they are neither close nor could be violated.
        close: Separations that a tick and braking after it could bring near, first entries, shape (m,).
        which: Separations that could be violated in the coming tick, first entries, shape (m,).
        points: Nearest points of those, shape (m, 2, 3), [m].
        row: Their gradients by the joints, shape (m, n), [m/rad].
        least: Least rate at which they may change, shape (m,), [m/s].
        inertia: Buffers, shape (n, n).
        motion: Buffers: how far each joint can move in a tick and braking, and how fast, shape (2, n), [rad] and [rad/s].
        sweep: Buffers: the same of each capsule, shape (2, c), [m] and [m/s].
    """

    box: FloatArray
    flags: NDArray[np.uint8]
    wanted: FloatArray
    effort: FloatArray
    apart: FloatArray
    close: IntArray
    which: IntArray
    points: FloatArray
    row: FloatArray
    least: FloatArray
    inertia: FloatArray
    motion: FloatArray
    sweep: FloatArray


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


def new_linearisation(model: DynamicsModel) -> Linearisation:
    """Return room for a model's results."""
    n, m = len(model.mass) - 1, len(model.first)
    return Linearisation(
        box=np.zeros((2, n)),
        flags=np.zeros(n, dtype=np.uint8),
        wanted=np.zeros(n),
        effort=np.zeros(n),
        apart=np.zeros(m),
        close=np.zeros(m, dtype=np.int64),
        which=np.zeros(m, dtype=np.int64),
        points=np.zeros((m, 2, 3)),
        row=np.zeros((m, n)),
        least=np.zeros(m),
        inertia=np.zeros((n, n)),
        motion=np.zeros((2, n)),
        sweep=np.zeros((2, len(model.body))),
    )


@kernel
def linearise(
    model: DynamicsModel,
    scratch: Scratch,
    result: Linearisation,
    program: Program,
    state: FloatArray,
    bounds: FloatArray,
    margin: FloatArray,
    ceiling: FloatArray,
    cap: float,
    gain: float,
    recovery: float,
    period: float,
    always: bool,
) -> Found:
    """Look around at a position; a separation d may close no faster than gain · (d − margin).

    Below its margin it must grow, at the recovery speed or as fast as the box of velocities lets it.

    Args:
        model: The robot.
        scratch: Buffers.
        result: Receives what is found.
        program: Receives the program that finds the nearest admissible velocity, if the wish is not admissible.
        state: Rows position [rad], velocity and wished velocity [rad/s], shape (3, n).
        bounds: Rows lower, upper [rad], velocity and its change in a tick [rad/s], shape (4, n).
        margin: Distances at which separations begin to close no further, shape (m,), [m].
        ceiling: Most effort, shape (n,), [N·m].
        cap: Velocity limit of all joints beside their own [rad/s].
        gain: [1/s].
        recovery: [m/s].
        period: Tick [s].
        always: Whether the program is written even if the wish needs none.
    """
    n, wanted, box = state.shape[1], result.wanted, result.box
    result.flags[:] = 0
    fill_box(state, bounds, period, cap, box[0], box[1], result.flags)
    for j in range(n):
        wanted[j] = min(max(state[2, j], box[0, j]), box[1, j])
    forward(model.tree, state[0], scratch.pose)
    inverse_dynamics(model, scratch, state[1], (wanted - state[1]) / period)
    acts = collides = leaves = False
    for j in range(n):
        result.effort[j] = scratch.effort[j]
        if abs(scratch.effort[j]) > ceiling[j] + SLACK:
            result.flags[j] |= _EFFORT
            acts = True
    place(model, scratch)
    _reach_out(model, result, bounds, period)
    close, fast = _broad_phase(model, scratch, result, margin, gain)
    near = _rates(model, scratch, result, fast, margin, gain, recovery)
    for c in range(near):
        if _blocked(result.row, c, wanted, result.least, result.flags):
            border = model.border[result.which[c]]
            collides, leaves = collides or not border, leaves or border
    if not (acts or collides or leaves or always):
        return Found(close, near, -1, False, False)
    inertia_matrix(model, scratch, result.inertia)
    rows = assemble(program, box, wanted, result.inertia, result.effort, ceiling, period, result.row, result.least, near)
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
def _reach_out(model: DynamicsModel, result: Linearisation, bounds: FloatArray, period: float) -> None:
    """Write how far joints and capsules can move in this tick and braking after it, and how fast."""
    for j in range(len(result.wanted)):
        v, change = max(abs(result.box[0, j]), abs(result.box[1, j])), bounds[3, j]
        result.motion[0, j], result.motion[1, j] = period * (v + 0.5 * v * v / change + change), v
    for kind in range(2):
        sweep(model.lever, result.motion[kind], result.sweep[kind])


@kernel
def _broad_phase(
    model: DynamicsModel, scratch: Scratch, result: Linearisation, margin: FloatArray, gain: float
) -> tuple[int, int]:
    """List the separations that could matter to braking after this tick, and those that could close too fast in it.

    Most are ruled out by the distance of the capsules' circumscribed balls and by how far each capsule can move: a pair
    matters to the path if that could bring it near, to the tick if it could close faster than its room allows. Returns the
    number of either; of the latter, the nearest points are kept.
    """
    first, second, clearance, normal, offset = model.first, model.second, model.clearance, model.normal, model.offset
    reach, radius, extent = model.reach, model.radius, model.extent
    ends, middle, pair = scratch.ends, scratch.middle, scratch.pair
    motion, swept, apart, gaps = result.motion, result.sweep, result.apart, model.gaps
    lead, close, fast = 1.0 / gain, 0, 0
    for m in range(len(first)):
        a, b, contact = first[m], second[m], clearance[m] + margin[m]
        if m < gaps:
            x, y, z = middle[a, 0] - middle[b, 0], middle[a, 1] - middle[b, 1], middle[a, 2] - middle[b, 2]
            slowing = min(INFLUENCE, lead * (swept[1, a] + swept[1, b]))
            need = 2.0 * (extent[a] + extent[b] + contact + max(slowing, _FAR_ENOUGH + swept[0, a] + swept[0, b]))
            if need > 0.0 and x * x + y * y + z * z > need * need:
                continue
            room = gap(ends, a, b, radius, pair) - contact
        else:
            room = inside(ends, a, radius, normal, offset, m, pair) - contact
        travel = speed = 0.0
        for j in range(motion.shape[1]):  # `closing` of both, which are not negative
            travel += reach[m, j] * motion[0, j]
            speed += reach[m, j] * motion[1, j]
        apart[m] = room + margin[m]
        if room <= _FAR_ENOUGH + travel:
            result.close[close] = m
            close += 1
        if room <= INFLUENCE and gain * room < speed:
            result.which[fast] = m
            for k in range(3):
                result.points[fast, 0, k], result.points[fast, 1, k] = pair[0, k], pair[1, k]
            fast += 1
    return close, fast


@kernel
def _rates(
    model: DynamicsModel, scratch: Scratch, result: Linearisation, fast: int, margin: FloatArray, gain: float, recovery: float
) -> int:
    """Write the gradients and least rates of the separations that the coming tick could violate; return their number.

    Args:
        model: The robot.
        scratch: Buffers; ``scratch.pose`` must be set.
        result: Holds the first ``fast`` of ``which``, of which those are kept that no velocity in the box violates.
        fast: Number of separations that might close too fast.
        margin: As in `linearise`.
        gain: Likewise.
        recovery: Likewise.
    """
    first, second, body, which = model.first, model.second, model.body, result.which
    parent, prismatic, axis, origin = model.tree.parent, model.tree.prismatic, scratch.pose.axis, scratch.pose.position
    rows, low, high, gaps, count = result.row, result.box[0], result.box[1], model.gaps, 0
    for c in range(fast):
        m = which[c]
        row, other = rows[count], body[second[m]] if m < gaps else 0
        row[:] = 0.0
        add_row(parent, prismatic, axis, origin, result.points[c], body[first[m]], other, row)
        lowest = highest = 0.0
        for j in range(len(row)):
            lowest += min(row[j] * low[j], row[j] * high[j])
            highest += max(row[j] * low[j], row[j] * high[j])
        least = min(-gain * (result.apart[m] - margin[m]), recovery, highest - 0.1 * abs(highest))
        if lowest < least:
            which[count], result.least[count] = m, least
            count += 1
    return count
