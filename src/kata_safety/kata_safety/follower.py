# SPDX-License-Identifier: Apache-2.0
"""Following a target: engage, warm in, smooth; what to wish for before any limit."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray, frozen
from kata_model.compiled import kernel
from kata_model.joints import JointCommand
from kata_model.verdict import JointFlag, Reason
from kata_safety.config import SafetyConfig
from kata_safety.limits import JointLimits, stoppable

__all__ = ["Follower", "Moving", "Wanted"]


class Wanted(NamedTuple):
    """What following wants of a tick.

    Attributes:
        velocity: Shape (n,), [rad/s].
        cap: Velocity limit while warming in [rad/s].
        flags: Joints whose target is beyond their position limits, shape (n,), uint8.
        reasons: Names from `Reason`.
        stamp: Source stamp of the target that is followed [ns].
    """

    velocity: FloatArray
    cap: float
    flags: NDArray[np.uint8]
    reasons: tuple[str, ...]
    stamp: int


class Moving(NamedTuple):
    """The commanded motion: position [rad] and velocity [rad/s], shape (n,)."""

    position: FloatArray
    velocity: FloatArray


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


_POSITION = int(JointFlag.POSITION)

_LONGEST = 0.1
"""Time between samples beyond which a source's motion between them is not guessed [s]."""

_PATIENCE = 1.25
"""Length of a ramp by the time between samples: the next one may come late, and the motion must not falter."""


class Follower:
    """Turns targets into wished velocities."""

    def __init__(self, limits: JointLimits, config: SafetyConfig) -> None:
        """Start disengaged; compiles its kernels on the first run on a machine."""
        self._limits, self._config = limits, config
        self._engaged_at: int | None = None
        self._warming, self._warm_in = False, config.warm_in_time
        self._kept: JointCommand | None = None
        self._ramp: Ramp | None = None
        self._ends = np.zeros((4, len(limits.lower)))
        still = np.zeros_like(limits.lower)
        self.approach(still, still, Moving(still, still))  # loads its kernels before the first tick
        _within(frozen("still", still, (None,)), limits.bounds, np.empty_like(still), np.empty(len(still), dtype=np.uint8))

    @property
    def stamp(self) -> int:
        """Source stamp of the last target followed [ns]; 0 if there is none."""
        return self._kept.stamp if self._kept else 0

    def note(self, command: JointCommand, now: int) -> None:
        """Remember a target as if it had been followed, without warming in; each tick's in turn."""
        self._engaged_at, self._warming = now, False
        self._take(command, now)

    def suppose(self, origin: FloatArray, now: int) -> None:
        """Take it that the followed goal was at a place until now, shape (n,), [rad]."""
        self._ramp = Ramp(origin, np.zeros_like(origin), now, np.inf)

    def agrees(self, other: "Follower") -> bool:
        """Return whether another remembers the same way, bit for bit."""
        a, b = self._ramp, other._ramp
        if a is None or b is None:
            return a is b
        return bool((a.since, a.span) == (b.since, b.span) and (a.start == b.start).all() and (a.velocity == b.velocity).all())

    def adopt(self, other: "Follower") -> None:
        """Remember what another does."""
        self._engaged_at, self._warming, self._kept, self._ramp = other._engaged_at, other._warming, other._kept, other._ramp

    def release(self) -> None:
        """Disengage; the next target is compared with the robot again."""
        self._engaged_at, self._warming, self._ramp = None, False, None

    def forget(self) -> None:
        """Forget what was followed, as after a jump of the clock."""
        self._kept = None

    def engage(self, command: JointCommand, position: FloatArray, now: int) -> bool:
        """Return whether a target may be followed from a position, shape (n,), [rad]: not if it is too far away.

        Warming in takes its full time from half of the refused mismatch on, and less in proportion to a smaller one.
        """
        if self._engaged_at is None:
            mismatch, refusal = float(np.abs(command.position - position).max()), self._config.engage_refusal
            if not mismatch <= refusal:
                return False
            self._engaged_at, self._warming = now, mismatch > self._config.engage_tolerance
            self._warm_in = self._config.warm_in_time * (min(1.0, 2.0 * mismatch / refusal) if refusal > 0.0 else 1.0)
        return True

    def follow(self, command: JointCommand, state: Moving, now: int) -> Wanted:
        """Return what to wish for; a second target with the stamp of the first is ignored and named."""
        reasons: tuple[str, ...] = ()
        kept = self._kept
        if kept is not None and kept is not command and kept.stamp == command.stamp and not _equal(kept, command):
            command, reasons = kept, (Reason.DUPLICATED,)
        goal, flags = self._take(command, now)
        cap = self._warm_in_cap(now)
        if self._warming:
            reasons = (Reason.WARMING_IN, *reasons)
        aim, velocity = (goal, command.velocity) if self._ramp is None else self._along(self._ramp, goal, now)
        return Wanted(self.approach(aim, velocity, state), cap, flags, reasons, command.stamp)

    def _take(self, command: JointCommand, now: int) -> tuple[FloatArray, NDArray[np.uint8]]:
        """Remember a target and the way to it; return its goal within the limits, and the flags of what was not."""
        kept, self._kept = self._kept, command
        goal, flags = np.empty_like(command.position), np.empty(len(command.position), dtype=np.uint8)
        _within(command.position, self._limits.bounds, goal, flags)
        if kept is not None and command.stamp > kept.stamp:
            self._ramp = self._ramp_to(goal, kept, command, now)
        return goal, flags

    def _ramp_to(self, goal: FloatArray, before: JointCommand, command: JointCommand, now: int) -> Ramp | None:
        """Return the way to a new goal from where the last one is followed now; None if the source tells its velocity."""
        span = (command.stamp - before.stamp) * 1e-9 * _PATIENCE
        if command.velocity.any() or not span <= _LONGEST * _PATIENCE:
            return None
        last = np.empty_like(before.position)
        _within(before.position, self._limits.bounds, last, np.empty(len(last), dtype=np.uint8))
        start = last if self._ramp is None else self._along(self._ramp, last, now)[0]
        return Ramp(start, (goal - start) / span, now, span)

    def _along(self, ramp: Ramp, goal: FloatArray, now: int) -> tuple[FloatArray, FloatArray]:
        """Return position and velocity to aim at at the end of this tick."""
        elapsed = (now - ramp.since) * 1e-9 + self._limits.period
        if elapsed >= ramp.span:
            return goal, np.zeros_like(goal)
        return ramp.start + elapsed * ramp.velocity, ramp.velocity

    def approach(self, goal: FloatArray, velocity: FloatArray, state: Moving) -> FloatArray:
        """Return the velocity of a critically damped approach, slow enough to stop at the goal, shape (n,), [rad/s].

        A source's samples come at a lower rate than ticks; ẍ = ω² (goal − x) + 2 ω (ẋ_goal − ẋ) with
        ω = 1 / smoothing joins them without steps in velocity.

        Args:
            goal: Shape (n,), [rad], finite.
            velocity: The goal's own velocity, shape (n,), [rad/s], finite.
            state: Where the command is.
        """
        period, constant = self._limits.period, self._config.smoothing
        if constant <= period:
            return self._limits.velocity_to(state.position, goal)
        smooth, ends = np.empty(len(goal)), self._ends
        ends[0], ends[1], ends[2], ends[3] = goal, velocity, state.position, state.velocity
        _smooth(ends, self._limits.bounds, period, constant, smooth)
        return smooth

    def _warm_in_cap(self, now: int) -> float:
        """Return the velocity cap after a mismatched engage, opening linearly to none [rad/s]."""
        if not self._warming or self._engaged_at is None:
            return np.inf
        share = (now - self._engaged_at) * 1e-9 / self._warm_in
        self._warming = share < 1.0
        slow, full = self._config.warm_in_velocity, self._config.max_velocity
        return slow + (full - slow) * min(share, 1.0)


@kernel
def _smooth(ends: FloatArray, bounds: FloatArray, period: float, constant: float, out: FloatArray) -> None:
    """Write `Follower.approach`: rows of ends are goal and its velocity, position and velocity; bounds as in `JointLimits`."""
    for j in range(len(out)):
        way, wanted = ends[0, j] - ends[2, j], min(max(ends[1, j], -bounds[2, j]), bounds[2, j])
        change = period / constant * (way / constant + 2.0 * (wanted - ends[3, j]))
        most = stoppable(abs(way), bounds[3, j], period) + abs(wanted)
        out[j] = min(max(ends[3, j] + change, -most), most)


@kernel
def _within(position: FloatArray, bounds: FloatArray, out: FloatArray, flags: NDArray[np.uint8]) -> None:
    """Write a position within its limits, and where it was not; bounds as in `JointLimits`."""
    for j in range(len(out)):
        out[j] = min(max(position[j], bounds[0, j]), bounds[1, j])
        flags[j] = 0 if out[j] == position[j] else _POSITION


def _equal(a: JointCommand, b: JointCommand) -> bool:
    return np.array_equal(a.position, b.position) and np.array_equal(a.velocity, b.velocity)
