# SPDX-License-Identifier: Apache-2.0
"""Is a policy where it was trained? The distance of what it sees, how far its answers disagree, whether pictures live.

Up to three scores, each with two levels that the policy's file brings along (`kata_policy.calibration` makes them):

- *distance*: Mahalanobis distance of the observation from what is ordinary, with a shrunk covariance; of a picture
  a few numbers count (`glance`).
- *disagreement*: root mean square difference of the present chunk of actions from the one before, where both speak
  of the same instants [rad]. A policy that knows what it does goes on with its plan.
- *stillness*: how far the joints have gone while a picture stayed the same, bit for bit [rad].

A score beyond a level for some steps in a row is a warning, or a reason not to follow the policy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kata_model.arrays import FloatArray, frozen
from kata_policy.glance import glance

__all__ = [
    "UNMONITORED",
    "Certainty",
    "Judgement",
    "Levels",
    "MonitorSpec",
    "PolicyMonitor",
    "Stillness",
    "disagreement",
    "distance",
    "flatten",
]

_JOINTS = "joint_position"
_SCORES = ("distance", "disagreement", "stillness")


class Certainty(IntEnum):
    """How far a policy is to be trusted at a step."""

    SURE = 0
    WARNING = 1
    UNSURE = 2


@dataclass(frozen=True, slots=True)
class Levels:
    """Levels of one score.

    Attributes:
        warning: From here on a score calls for a warning.
        hold: From here on the policy is not followed.
        episodes: Episodes that the levels were calibrated on.
    """

    warning: float
    hold: float
    episodes: int

    def __post_init__(self) -> None:
        """Refuse levels that never or always act."""
        if not (0.0 < self.warning <= self.hold < np.inf):
            raise ValueError(f"levels are {self.warning} and {self.hold}, expected 0 < warning <= hold")


@dataclass(frozen=True, eq=False)
class MonitorSpec:
    """What a policy's file says of where it may be trusted; d observed numbers.

    Attributes:
        mean: Of ordinary observations, terms and glances at pictures joined in the contract's order, shape (d,).
        whitening: Turns a difference from the mean into a vector whose length is the distance, shape (d, d).
        distance: Levels of the distance.
        disagreement: Levels of the disagreement [rad]; None where chunks have one action and never overlap.
        steps: Judgements in a row that a score must be beyond a level, or back, to count.
        warning_rate: Share of ordinary attempts that would be warned of.
        hold_rate: Share of ordinary attempts that would not be followed to their end.
        gap: Steps between the chunks whose disagreement was calibrated; others are not compared.
        stillness: Levels of the stillness [rad]; None where there are no pictures.
        attempts: Attempts of the policy itself that levels were calibrated on; 0 where they know demonstrations alone.
    """

    mean: FloatArray
    whitening: FloatArray
    distance: Levels
    disagreement: Levels | None
    steps: int
    warning_rate: float
    hold_rate: float
    gap: int = 1
    stillness: Levels | None = None
    attempts: int = 0

    def __post_init__(self) -> None:
        """Copy and freeze the arrays; all must be finite."""
        size = len(np.asarray(self.mean))
        for name, shape in (("mean", (size,)), ("whitening", (size, size))):
            values = frozen(name, getattr(self, name), shape)
            if not np.isfinite(values).all():
                raise ValueError(f"{name} holds values that are not finite")
            object.__setattr__(self, name, values)
        for name in ("steps", "gap"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 1 or more")

    def to_mapping(self) -> dict[str, Any]:
        """Return plain numbers, lists and mappings, as JSON takes them."""
        levels = {name: _mapping(getattr(self, name)) for name in _SCORES}
        plain = {name: getattr(self, name) for name in ("steps", "warning_rate", "hold_rate", "gap", "attempts")}
        return {"mean": self.mean.tolist(), "whitening": self.whitening.tolist(), **levels, **plain}

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> "MonitorSpec":
        """Read what `to_mapping` gave.

        Raises:
            TypeError: A key is missing or unknown.
            ValueError: A value makes no sense.
        """
        levels = {name: Levels(**data[name]) if data[name] else None for name in _SCORES}
        return cls(**{**data, **levels})


def _mapping(levels: Levels | None) -> dict[str, float] | None:
    return None if levels is None else {"warning": levels.warning, "hold": levels.hold, "episodes": levels.episodes}


def flatten(observation: Mapping[str, ArrayLike], terms: Sequence[str], cameras: Sequence[str] = ()) -> FloatArray:
    """Return one observation as one vector, terms and glances at pictures joined in order, shape (d,).

    Args:
        observation: By input.
        terms: Names of terms.
        cameras: Names of the inputs that are pictures.
    """
    numbers = [np.asarray(observation[name], dtype=float).ravel() for name in terms]
    return np.concatenate([*numbers, *(glance(np.asarray(observation[name])) for name in cameras)])


def distance(observations: FloatArray, mean: FloatArray, whitening: FloatArray) -> FloatArray:
    """Return the Mahalanobis distance of observations, shape (N, d) or (d,); infinite where one is not finite.

    Args:
        observations: What was seen.
        mean: Shape (d,).
        whitening: As in `MonitorSpec`, shape (d, d).
    """
    with np.errstate(invalid="ignore", over="ignore"):
        lengths = np.linalg.norm((np.asarray(observations, dtype=float) - mean) @ whitening.T, axis=-1)
    found: FloatArray = np.where(np.isfinite(lengths), lengths, np.inf)
    return found


def disagreement(before: FloatArray, now: FloatArray, gap: int = 1) -> float:
    """Return how far two chunks differ where they overlap [rad]; infinite if one is not finite.

    Args:
        before: An earlier chunk, shape (horizon, k), [rad].
        now: The present one.
        gap: Steps between them; from the horizon on nothing overlaps, and the result is 0.
    """
    if gap >= len(now):
        return 0.0
    with np.errstate(invalid="ignore", over="ignore"):
        found = float(np.sqrt(np.square(before[gap:] - now[: len(now) - gap]).mean()))
    return found if np.isfinite(found) else np.inf


class Stillness:
    """How far the joints have gone while a picture stayed the same, bit for bit: a camera that lives shows that.

    Args:
        cameras: Names of the inputs that are pictures.
    """

    def __init__(self, cameras: Sequence[str]) -> None:
        """Start without any picture."""
        self._cameras = cameras
        self._since: dict[str, tuple[NDArray[np.uint8], FloatArray]] = {}

    def note(self, observation: Mapping[str, NDArray[Any]]) -> float:
        """Take an observation; return the farthest way of a joint under the stillest picture [rad].

        Args:
            observation: By input; without the joints' positions or without pictures the answer is 0.
        """
        if _JOINTS not in observation or not self._cameras:
            return 0.0
        joints = np.array(observation[_JOINTS], dtype=float)
        for name in self._cameras:
            if name not in self._since or not np.array_equal(self._since[name][0], observation[name]):
                self._since[name] = observation[name], joints
        return max(float(np.abs(joints - start).max()) for _, start in self._since.values())


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a monitor found at one step.

    Attributes:
        certainty: How far the policy is to be trusted.
        distance: Of the observation.
        disagreement: Of the chunks [rad].
        stillness: Of the pictures [rad].
    """

    certainty: Certainty
    distance: float
    disagreement: float
    stillness: float = 0.0


UNMONITORED = Judgement(Certainty.SURE, 0.0, 0.0)
"""What is said of a policy that brings no monitor."""


class PolicyMonitor:
    """Judges one step after the other; a change of mind takes some steps in a row, except that NaN is judged at once."""

    def __init__(self, spec: MonitorSpec, terms: Sequence[str], cameras: Sequence[str] = ()) -> None:
        """Start sure.

        Args:
            spec: The policy's own.
            terms: Names of the policy's terms, in the contract's order.
            cameras: Names of the inputs that are pictures, in the contract's order.
        """
        self._spec, self._terms, self._cameras = spec, terms, cameras
        self.reset()

    def reset(self) -> None:
        """Forget what was seen, as at engage."""
        self._before: FloatArray | None = None
        self._step = 0
        self._stillness = Stillness(self._cameras)
        self._streak = {Certainty.WARNING: _Streak(self._spec.steps), Certainty.UNSURE: _Streak(self._spec.steps)}

    def judge(self, observation: Mapping[str, NDArray[Any]], chunk: FloatArray, step: int | None = None) -> Judgement:
        """Judge an answer.

        Args:
            observation: What the policy saw, by input.
            chunk: What it answered, shape (horizon, k), [rad].
            step: Step that it was asked at; None for the one after the last.
        """
        spec = self._spec
        step = self._step + 1 if step is None else step
        far = float(distance(flatten(observation, self._terms, self._cameras), spec.mean, spec.whitening))
        before = self._before if step - self._step == spec.gap else None
        apart = 0.0 if before is None else disagreement(before, chunk, spec.gap)
        apart = apart if np.isfinite(chunk).all() else np.inf
        self._before, self._step = chunk, step
        still = self._stillness.note(observation)
        found = ((far, spec.distance), (apart, spec.disagreement), (still, spec.stillness))
        scores = [(score, levels) for score, levels in found if levels is not None]
        broken = not (np.isfinite(far) and np.isfinite(apart))
        warned = self._streak[Certainty.WARNING].note(any(not score <= levels.warning for score, levels in scores), broken)
        unsure = self._streak[Certainty.UNSURE].note(any(not score <= levels.hold for score, levels in scores), broken)
        certainty = Certainty.UNSURE if unsure else Certainty.WARNING if warned else Certainty.SURE
        return Judgement(certainty, far, apart, still)


class _Streak:
    """A yes or no that changes after some equal answers in a row."""

    def __init__(self, steps: int) -> None:
        self._steps, self._other, self._state = steps, 0, False

    def note(self, beyond: bool, at_once: bool) -> bool:
        self._other = 0 if beyond is self._state else self._other + 1
        if self._other >= self._steps or (at_once and not self._state):
            self._state, self._other = not self._state, 0
        return self._state
