# SPDX-License-Identifier: Apache-2.0
"""All that the kernels of a tick work on, and what a tick asks them."""

from typing import NamedTuple

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.compiled import kernel
from kata_safety.guard.braking import Allowed, BrakingPath, follow_to_rest, new_braking_path
from kata_safety.guard.held import Held, hold
from kata_safety.guard.plant import Plant, Scratch, new_scratch
from kata_safety.guard.program import new_program
from kata_safety.guard.quadratic_program import Program
from kata_safety.guard.survey import Found, Survey, new_survey, survey

__all__ = ["Room", "hold_room", "look_around", "new_room", "try_step"]

CUSHION = 0.005
"""Distance beyond its margin at which a separation is already asked not to close [m]: else a motion along an
obstacle would fail its certificate, brake and start again."""


class Room(NamedTuple):
    """What the kernels share; n joints, m separations.

    Attributes:
        plant: The robot.
        scratch: Room.
        survey: Results of `survey`.
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

    plant: Plant
    scratch: Scratch
    survey: Survey
    program: Program
    path: BrakingPath
    state: FloatArray
    bounds: FloatArray
    cushioned: FloatArray
    allowed: Allowed
    gain: float
    period: float
    near: float


def new_room(plant: Plant, margin: FloatArray, extra_rows: int, gain: float, period: float) -> Room:
    """Return room for a plant's ticks; bounds and what is allowed are still to be written.

    Args:
        plant: The robot.
        margin: Distance to keep, by separation, shape (m,), [m].
        extra_rows: Room for that many rows in the program beside those of `survey`.
        gain: Closing speed allowed per distance left [1/s].
        period: Tick [s].
    """
    n, m = len(plant.mass) - 1, len(plant.first)
    return Room(
        plant=plant,
        scratch=new_scratch(plant),
        survey=new_survey(plant),
        program=new_program(plant, extra_rows),
        path=new_braking_path(plant),
        state=np.zeros((3, n)),
        bounds=np.zeros((4, n)),
        cushioned=margin + CUSHION,
        allowed=Allowed(np.array(margin), np.zeros(m, dtype=bool), np.array(margin), np.zeros(n)),
        gain=float(gain),
        period=float(period),
        near=float(margin.max(initial=0.0)) + 0.001,
    )


@kernel
def hold_room(room: Room) -> Held[Room]:
    """Return a room as the kernels of a tick take it."""
    return hold(room)


@kernel
def look_around(held: Held[Room], cap: float, recovery: float, always: bool) -> Found:
    """Survey the surroundings of the room's state; arguments as in `survey`."""
    room = held.parts
    ceiling, gain, period = room.allowed.effort, room.gain, room.period
    return survey(
        room.plant,
        room.scratch,
        room.survey,
        room.program,
        room.state,
        room.bounds,
        room.cushioned,
        ceiling,
        cap,
        gain,
        recovery,
        period,
        always,
    )


@kernel
def try_step(held: Held[Room], close: int) -> bool:
    """Return whether the step of the room's state, and braking after it, keep what is allowed.

    Args:
        held: The room; its survey is of the same position.
        close: How many separations that found close.
    """
    room = held.parts
    start, watched, change = room.survey.apart, room.survey.close[:close], room.bounds[3]
    plant, scratch, path, period, near = room.plant, room.scratch, room.path, room.period, room.near
    return bool(follow_to_rest(plant, scratch, path, room.state, start, watched, change, period, near, room.allowed))
