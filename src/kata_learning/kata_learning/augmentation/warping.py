# SPDX-License-Identifier: Apache-2.0
"""Temporal warping: the same motion at another, changing pace."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kata_data.dataset.assemble import Steps
from kata_model.arrays import FloatArray

__all__ = ["warp_episode", "warped_time"]

_WAVES = 3
"""Slowest waves that the pace is made of, by episode: more would shake the motion."""


def warp_episode(steps: Steps, amount: float, rng: np.random.Generator) -> Steps:
    """Return an episode as if it had been shown at another pace; a gap of dropped steps stays one.

    Numbers are interpolated between steps; velocities grow with the pace; a picture is the newest one of its time.
    The lag of the joints behind their commands is taken over as it was.

    Args:
        steps: The episode, T steps.
        amount: Greatest change of pace, as a share of it: 0.2 is 0.8 to 1.2 times as fast.
        rng: Source of chance.
    """
    if len(steps.action) < 2:
        return steps
    time, pace = warped_time(steps.tick, amount, rng)
    before = np.clip(np.searchsorted(steps.tick, time, side="right") - 1, 0, len(steps.tick) - 2)
    # Between two steps with a gap nothing is known; those instants are left out, and the ticks keep the gap.
    known = np.diff(steps.tick)[before] == 1
    time, pace, before = time[known], pace[known], before[known]
    share = (time - steps.tick[before]).clip(0.0, 1.0)
    tick = np.flatnonzero(known).astype(np.int32)

    def between(values: NDArray[Any]) -> NDArray[Any]:
        weight = share.reshape(-1, *[1] * (values.ndim - 1))
        blended: NDArray[Any] = (values[before] * (1.0 - weight) + values[before + 1] * weight).astype(values.dtype)
        return blended

    newest = before + (share >= 1.0)
    return dataclasses.replace(
        steps,
        entry=dataclasses.replace(steps.entry, bag=f"{steps.entry.bag} warped", steps=len(tick)),
        observation={name: _paced(name, between(values), pace) for name, values in steps.observation.items()},
        sensitivity=_each(steps.sensitivity, between),
        action=between(steps.action),
        stamp=steps.stamp[newest],
        state_stamp=steps.state_stamp[newest],
        tick=tick,
        intervention=steps.intervention[newest],
        frame={name: values[newest] for name, values in steps.frame.items()},
        frame_stamp={name: values[newest] for name, values in steps.frame_stamp.items()},
    )


def warped_time(tick: NDArray[np.int32], amount: float, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return at which time of the demonstration each new step is taken, in ticks, and the pace there.

    The pace is a constant and a few slow waves; it stays within 1 - amount and 1 + amount.
    """
    length = float(tick[-1] - tick[0])
    weights = rng.uniform(-1.0, 1.0, _WAVES + 1)
    weights *= amount / max(1.0, float(np.abs(weights).sum()))
    phases = rng.uniform(0.0, 2.0 * np.pi, _WAVES)
    time, pace = [float(tick[0])], []
    while True:
        at = 2.0 * np.pi * (time[-1] - tick[0]) / length
        pace.append(1.0 + weights[0] + float(weights[1:] @ np.sin(at * np.arange(1, _WAVES + 1) / 2.0 + phases)))
        if time[-1] + pace[-1] > tick[-1]:
            return np.array(time), np.array(pace)
        time.append(time[-1] + pace[-1])


def _paced(name: str, values: NDArray[Any], pace: FloatArray) -> NDArray[Any]:
    if name.split("/")[0] != "joint_velocity":
        return values
    return (values * pace.reshape(-1, *[1] * (values.ndim - 1))).astype(values.dtype)


def _each(parts: Mapping[str, NDArray[Any]], change: Any) -> dict[str, NDArray[Any]]:
    return {name: change(values) for name, values in parts.items()}
