# SPDX-License-Identifier: Apache-2.0
"""Slow a motion where it is too fast for the robot, as little and as smoothly as it takes."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from kata_model.arrays import FloatArray
from kata_model.trajectory import Trajectory
from kata_retarget.adaptation.demand import Demand, measure
from kata_retarget.adaptation.excess import balance_ratio
from kata_retarget.adaptation.path import MotionPath, follow
from kata_retarget.adaptation.plant import Plant

__all__ = ["Slowed", "slow", "smooth_below"]

_GREATEST_CUT = 0.75
"""Smallest factor on the speed in one round; what is asked is not quite linear in the speed's square."""
_SPARE = 1e-3
"""How much more than asked a speed is cut, so that rounds come to an end."""
_HALVINGS = 6
"""Steps in which is found how much slowing can be taken back."""


class Slowed(NamedTuple):
    """A motion at another speed.

    Attributes:
        trajectory: The motion.
        time: When each of its frames was in the original, shape (M,), [s].
        speed: Original time per time, by frame of the original, shape (N,).
        demand: What it asks.
    """

    trajectory: Trajectory
    time: FloatArray
    speed: FloatArray
    demand: Demand


def slow(plant: Plant, trajectory: Trajectory) -> Slowed:
    """Slow a motion where that helps: where the robot could hold the posture, but not move so.

    A speed profile is cut where the motion asks too much, made smooth from below, and tried again; in the end all of it
    is raised again as far as that goes.
    """
    stamp = trajectory.stamp
    limit = np.ones(len(stamp))
    result = Slowed(trajectory, stamp, limit, measure(plant, trajectory))
    for _ in range(plant.config.rounds if len(stamp) > 2 else 0):
        factor = _wanted(plant, result.demand)
        row = np.abs(stamp[None, :] - result.time[:, None]).argmin(axis=1)
        wanted = np.maximum(result.speed[row] * factor * (1.0 - _SPARE), plant.config.min_speed)
        before = limit.copy()
        np.minimum.at(limit, row[factor < 1.0], wanted[factor < 1.0])
        if (limit == before).all():
            break
        result = _at_speed(plant, trajectory, limit)
    fits = result.speed.min() < 1.0 and (_wanted(plant, result.demand) == 1.0).all()
    return _raised(plant, trajectory, limit, result) if fits else result


def _at_speed(plant: Plant, trajectory: Trajectory, limit: FloatArray) -> Slowed:
    """Go along a motion as fast as a limit of its speed allows, shape (N,)."""
    stamp = trajectory.stamp
    reach = round(plant.config.ease * (len(stamp) - 1) / (stamp[-1] - stamp[0]))
    speed = smooth_below(limit, reach)
    slower, time = follow(MotionPath(trajectory), stamp, speed)
    within = np.clip(slower.joint_position, plant.robot.lower, plant.robot.upper)  # splines swing out between frames
    slower = replace(slower, joint_position=within)
    return Slowed(slower, time, speed, measure(plant, slower))


def _raised(plant: Plant, trajectory: Trajectory, limit: FloatArray, result: Slowed) -> Slowed:
    """Return the motion with as large a share of its slowing taken back as it takes without passing a limit."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        tried = _at_speed(plant, trajectory, limit + middle * (1.0 - limit))
        if (_wanted(plant, tried.demand) == 1.0).all():
            low, result = middle, tried
        else:
            high = middle
    return result


def _wanted(plant: Plant, demand: Demand) -> FloatArray:
    """Return the factor on the speed that would bring each frame within all limits, shape (M,); 1 where slowing is no use."""
    bounds = plant.bounds
    change = demand.effort - demand.held
    over = (np.abs(demand.effort) > bounds.effort) & (np.abs(demand.held) < bounds.effort)
    square = np.where(over, (np.copysign(bounds.effort, change) - demand.held) / np.where(over, change, 1.0), 1.0)
    velocity = bounds.velocity / np.maximum(np.abs(demand.velocity), bounds.velocity)
    acceleration = bounds.acceleration / np.maximum(np.abs(demand.acceleration), bounds.acceleration)
    factor = np.minimum(np.sqrt(np.minimum(square, acceleration)), velocity).min(axis=1)
    factor = np.minimum(factor, np.sqrt(_balance(plant, demand)))
    clipped: FloatArray = np.clip(factor, _GREATEST_CUT, 1.0)
    return clipped


def _balance(plant: Plant, demand: Demand) -> FloatArray:
    """Return the factor on the speed's square that would bring the missing wrench within its limit, shape (M,)."""
    moving, held = balance_ratio(plant.config, demand.help), balance_ratio(plant.config, demand.help_held)
    helps = (moving > 1.0) & (held < 1.0) & ~demand.airborne
    return np.where(helps, (1.0 - held) / np.where(helps, moving - held, 1.0), 1.0)


def smooth_below(values: FloatArray, reach: int) -> FloatArray:
    """Return a smooth curve that is nowhere above another: its local minimum, averaged over the same window.

    Args:
        values: Along the first axis, shape (N, …).
        reach: Half the window, in samples.
    """
    if reach < 1:
        return values.copy()
    edges = ((reach, reach), *((0, 0),) * (values.ndim - 1))
    lowest = sliding_window_view(np.pad(values, edges, mode="edge"), 2 * reach + 1, axis=0).min(axis=-1)
    bell = np.hanning(2 * reach + 3)[1:-1]
    windows = sliding_window_view(np.pad(lowest, edges, mode="edge"), 2 * reach + 1, axis=0)
    smooth: FloatArray = np.minimum(values, windows @ (bell / bell.sum()))
    return smooth
