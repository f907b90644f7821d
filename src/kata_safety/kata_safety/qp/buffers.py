# SPDX-License-Identifier: Apache-2.0
"""All that the kernels of a tick work on, and what a tick asks them."""

from typing import NamedTuple

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.compiled import kernel
from kata_safety.qp.braking import Allowed, BrakingPath, follow_to_rest, new_braking_path
from kata_safety.qp.dynamics_model import DynamicsModel, Scratch, new_scratch
from kata_safety.qp.handle import Handle, hold
from kata_safety.qp.linearisation import Found, Linearisation, linearise, new_linearisation
from kata_safety.qp.qp_assembly import new_program
from kata_safety.qp.quadratic_program import Program

__all__ = ["Buffers", "handle_of", "linearise_around", "new_buffers", "try_step"]

CUSHION = 0.005
"""Distance beyond its margin at which a separation is already asked not to close [m]: else a motion along an
obstacle would fail its certificate, brake and start again."""


class Buffers(NamedTuple):
    """What the kernels share; n joints, m separations.

    Attributes:
        model: The robot.
        scratch: Buffers.
        linearised: Results of `linearise`.
        program: The program of the tick.
        path: Results of `follow_to_rest`.
        state: Rows position [rad], velocity and wished or tried velocity [rad/s], shape (3, n).
        bounds: As `JointLimits.bounds`, shape (4, n).
        cushioned: Distances at which separations begin to close no further, shape (m,), [m].
        allowed: What the braking path must keep.
        gain: Closing speed allowed per distance left [1/s].
        period: Tick [s].
        near: As in `follow_to_rest` [m].
    """

    model: DynamicsModel
    scratch: Scratch
    linearised: Linearisation
    program: Program
    path: BrakingPath
    state: FloatArray
    bounds: FloatArray
    cushioned: FloatArray
    allowed: Allowed
    gain: float
    period: float
    near: float


def new_buffers(model: DynamicsModel, margin: FloatArray, extra_rows: int, gain: float, period: float) -> Buffers:
    """Return buffers for a model's ticks; bounds and what is allowed are still to be written.

    Args:
        model: The robot.
        margin: Distance to keep, by separation, shape (m,), [m].
        extra_rows: Room for that many rows in the program beside those of `linearise`.
        gain: Closing speed allowed per distance left [1/s].
        period: Tick [s].
    """
    n, m = len(model.mass) - 1, len(model.first)
    return Buffers(
        model=model,
        scratch=new_scratch(model),
        linearised=new_linearisation(model),
        program=new_program(model, extra_rows),
        path=new_braking_path(model),
        state=np.zeros((3, n)),
        bounds=np.zeros((4, n)),
        cushioned=margin + CUSHION,
        allowed=Allowed(np.array(margin), np.zeros(m, dtype=bool), np.array(margin), np.zeros(n)),
        gain=float(gain),
        period=float(period),
        near=float(margin.max(initial=0.0)) + 0.001,
    )


@kernel
def handle_of(buffers: Buffers) -> Handle[Buffers]:
    """Return buffers as the kernels of a tick take it."""
    return hold(buffers)


@kernel
def linearise_around(handle: Handle[Buffers], cap: float, recovery: float, always: bool) -> Found:
    """Linearise the constraints around the buffers' state; arguments as in `linearise`."""
    buffers = handle.parts
    ceiling, gain, period = buffers.allowed.effort, buffers.gain, buffers.period
    return linearise(
        buffers.model,
        buffers.scratch,
        buffers.linearised,
        buffers.program,
        buffers.state,
        buffers.bounds,
        buffers.cushioned,
        ceiling,
        cap,
        gain,
        recovery,
        period,
        always,
    )


@kernel
def try_step(handle: Handle[Buffers], close: int) -> bool:
    """Return whether the step of the buffers' state, and braking after it, keep what is allowed.

    Args:
        handle: The buffers, linearised around the same position.
        close: How many separations that found close.
    """
    buffers = handle.parts
    start, watched, change = buffers.linearised.apart, buffers.linearised.close[:close], buffers.bounds[3]
    model, scratch, path, period, near = buffers.model, buffers.scratch, buffers.path, buffers.period, buffers.near
    return bool(follow_to_rest(model, scratch, path, buffers.state, start, watched, change, period, near, buffers.allowed))
