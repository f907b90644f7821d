# SPDX-License-Identifier: Apache-2.0
"""Where a motion asks more than the robot has."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kata_model.arrays import FloatArray
from kata_retarget.adaptation.config import AdaptConfig
from kata_retarget.adaptation.demand import Demand
from kata_retarget.adaptation.plant import Plant

__all__ = ["TOLERANCE", "Excess", "balance_ratio", "excesses", "ratios", "violating"]

TOLERANCE = 5e-3
"""Share by which a limit may be passed before that is told: the noise of interpolation."""
_GAP = 0.15
"""Excesses of one kind that are nearer to each other are one [s]."""


class Excess(NamedTuple):
    """One stretch in which a limit is passed.

    Attributes:
        kind: ``effort``, ``velocity``, ``acceleration``, ``balance`` or ``flight``.
        joint: Its joint, or ''.
        begin: [s].
        end: [s].
        ratio: Largest value per limit.
        held: Largest value per limit if the robot stood still; 0 for what rest does not cause.
    """

    kind: str
    joint: str
    begin: float
    end: float
    ratio: float
    held: float


def balance_ratio(config: AdaptConfig, missing: FloatArray) -> FloatArray:
    """Return the missing wrench at the base per limit, shape (N,)."""
    ratio: FloatArray = (missing / (config.help_force, config.help_moment)).max(axis=1)
    return ratio


def ratios(plant: Plant, demand: Demand) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Return value per limit by kind, in motion and held still; shape (N, n) each, or (N, 1) for the base."""
    bounds, config = plant.bounds, plant.config
    none = np.zeros_like(demand.velocity)
    moving, held = (balance_ratio(config, missing)[:, None] for missing in (demand.help, demand.help_held))
    air = demand.airborne[:, None]
    return {
        "effort": (np.abs(demand.effort) / bounds.effort, np.abs(demand.held) / bounds.effort),
        "velocity": (np.abs(demand.velocity) / bounds.velocity, none),
        "acceleration": (np.abs(demand.acceleration) / bounds.acceleration, none),
        "balance": (np.where(air, 0.0, moving), np.where(air, 0.0, held)),
        "flight": (np.where(air, moving, 0.0), np.zeros_like(moving)),
    }


def violating(plant: Plant, demand: Demand) -> NDArray[np.bool_]:
    """Return the frames in which any limit is passed, shape (N,)."""
    columns = [(moving > 1.0 + TOLERANCE).any(axis=1) for moving, _ in ratios(plant, demand).values()]
    over: NDArray[np.bool_] = np.any(columns, axis=0)
    return over


def excesses(plant: Plant, demand: Demand) -> list[Excess]:
    """Return all stretches in which a limit is passed, in order of time."""
    found = []
    for kind, (moving, held) in ratios(plant, demand).items():
        names = plant.robot.layout.names if moving.shape[1] > 1 or kind in ("effort", "velocity", "acceleration") else ("",)
        for column, name in enumerate(names):
            for begin, end in _stretches(moving[:, column] > 1.0 + TOLERANCE, demand.stamp):
                rows = slice(begin, end + 1)
                worst, still = float(moving[rows, column].max()), float(held[rows, column].max())
                found.append(Excess(kind, name, float(demand.stamp[begin]), float(demand.stamp[end]), worst, still))
    return sorted(found, key=lambda excess: (excess.begin, -excess.ratio))


def _stretches(over: NDArray[np.bool_], stamp: FloatArray) -> Iterator[tuple[int, int]]:
    """Give first and last row of each stretch; short gaps within are bridged."""
    rows = np.flatnonzero(over)
    if len(rows) == 0:
        return
    breaks = np.flatnonzero(np.diff(stamp[rows]) > _GAP)
    begins, ends = np.concatenate([[0], breaks + 1]), np.concatenate([breaks, [len(rows) - 1]])
    for begin, end in zip(begins, ends, strict=True):
        yield int(rows[begin]), int(rows[end])
