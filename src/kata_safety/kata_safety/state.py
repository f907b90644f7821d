# SPDX-License-Identifier: Apache-2.0
"""The state of the safety filter: all that it remembers from one tick to the next, and that state as a recording keeps it."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray, frozen
from kata_model.joints import JointCommand
from kata_model.verdict import Verdict
from kata_safety.qp.motion import Commanded
from kata_safety.stops.stop_table import StopCategory

__all__ = ["BalanceMemory", "FilterState", "Following", "Ramp", "Stop", "Stops", "recorded", "restored"]

_NEVER = -1
"""Recorded for a time that there is not [ns]."""


class Ramp(NamedTuple):
    """A straight way from where the followed goal was to a new target, for a source that tells no velocities.

    Attributes:
        start: Shape (n,), [rad].
        velocity: Shape (n,), [rad/s].
        since: When it began [ns].
        span: How long it takes [s].
    """

    start: FloatArray
    velocity: FloatArray
    since: int
    span: float


class Following(NamedTuple):
    """What the target interpolator remembers.

    Attributes:
        engaged_at: When the target was engaged [ns]; None while none is.
        warming: Whether it is still warmed in.
        warm_in: How long that takes in all [s].
        kept: The last target followed, None if none was.
        ramp: The way to it, for a source that tells no velocities.
    """

    engaged_at: int | None = None
    warming: bool = False
    warm_in: float = 0.0
    kept: JointCommand | None = None
    ramp: Ramp | None = None

    def released(self) -> "Following":
        """Return this, disengaged; the next target is compared with the robot again."""
        return Following(kept=self.kept)


class Stop(NamedTuple):
    """A stop in force.

    Attributes:
        reason: What caused it.
        category: How to stop.
        since: When it began [ns].
    """

    reason: str
    category: StopCategory
    since: int


class Stops(NamedTuple):
    """What the stop state machine remembers.

    Attributes:
        stop: The hardest stop since the last reset, None if there was none.
        present: Causes that last, for which a reset is refused.
    """

    stop: Stop | None = None
    present: tuple[str, ...] = ()


class BalanceMemory(NamedTuple):
    """What balance remembers of the last command.

    Attributes:
        velocity: Commanded, shape (n,), [rad/s].
        effort: Fed forward, shape (n,), [N·m]; None before the base was first measured.
    """

    velocity: FloatArray
    effort: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class FilterState:
    """What the filter remembers after a tick; n joints.

    Attributes:
        last: The tick's verdict, None before the first.
        anchored: Whether the commanded motion has begun.
        stiff: Whether the last command had stiffness.
        seen: When the last joint state that was believed was measured [ns].
        doubts: `JointFlag.FEEDBACK` of joints whose measurement is the trouble, shape (n,), uint8.
        blamed: The same of the stop in force.
        commanded: The commanded motion.
        following: Of targets.
        stops: Of stops.
        balance: Of a robot on its feet.
    """

    last: Verdict | None
    anchored: bool
    stiff: bool
    seen: int
    doubts: NDArray[np.uint8]
    blamed: NDArray[np.uint8]
    commanded: Commanded
    following: Following
    stops: Stops
    balance: BalanceMemory


def recorded(state: FilterState) -> dict[str, Any]:
    """Return the fields of a kata_msgs/FilterState: all but the last verdict, which has its own message."""
    at, following, stop, nothing = state.commanded, state.following, state.stops.stop, np.zeros(0)
    kept, ramp, engaged = following.kept, following.ramp, following.engaged_at
    return {
        "anchored": state.anchored,
        "stiff": state.stiff,
        "seen": state.seen,
        "doubts": state.doubts,
        "blamed": state.blamed,
        "position": at.position,
        "velocity": at.velocity,
        "proven": at.proven,
        "ceiling": at.ceiling,
        "stance": at.stance,
        "engaged_at": _NEVER if engaged is None else engaged,
        "warming": following.warming,
        "warm_in": float(following.warm_in),
        "kept_stamp": _NEVER if kept is None else kept.stamp,
        "kept_position": nothing if kept is None else kept.position,
        "kept_velocity": nothing if kept is None else kept.velocity,
        "ramp_since": _NEVER if ramp is None else ramp.since,
        "ramp_span": 0.0 if ramp is None else float(ramp.span),
        "ramp_start": nothing if ramp is None else ramp.start,
        "ramp_velocity": nothing if ramp is None else ramp.velocity,
        "stop_reason": "" if stop is None else str(stop.reason),
        "stop_category": int(StopCategory.WAIT if stop is None else stop.category),
        "stop_since": _NEVER if stop is None else stop.since,
        "present": [str(cause) for cause in state.stops.present],
        "balance_velocity": state.balance.velocity,
        "balance_effort": nothing if state.balance.effort is None else state.balance.effort,
    }


def restored(message: Any, last: Verdict) -> FilterState:
    """Return the state that a kata_msgs/FilterState tells of, after a verdict, whose command must be known."""

    def vector(name: str) -> FloatArray:
        return frozen(name, getattr(message, name), (None,))

    none = np.zeros(len(message.kept_position))
    kept = JointCommand(message.kept_stamp, vector("kept_position"), vector("kept_velocity"), none, none, none)
    ramp = Ramp(vector("ramp_start"), vector("ramp_velocity"), message.ramp_since, message.ramp_span)
    stop = Stop(message.stop_reason, StopCategory(message.stop_category), message.stop_since)
    effort = vector("balance_effort")
    return FilterState(
        last=last,
        anchored=bool(message.anchored),
        stiff=bool(message.stiff),
        seen=message.seen,
        doubts=np.array(message.doubts, dtype=np.uint8),
        blamed=np.array(message.blamed, dtype=np.uint8),
        commanded=Commanded(vector("position"), vector("velocity"), bool(message.proven), vector("ceiling"), vector("stance")),
        following=Following(
            None if message.engaged_at == _NEVER else message.engaged_at,
            bool(message.warming),
            message.warm_in,
            None if message.kept_stamp == _NEVER else kept,
            None if message.ramp_since == _NEVER else ramp,
        ),
        stops=Stops(None if stop.since == _NEVER else stop, tuple(message.present)),
        balance=BalanceMemory(vector("balance_velocity"), effort if len(effort) else None),
    )
