# SPDX-License-Identifier: Apache-2.0
"""Levels of a policy's monitor, calibrated episode by episode.

Steps of one episode resemble one another, so the unit is the episode: its score is the largest value that its steps
exceed some times in a row (`sustained`), as the monitor counts at run time. Each episode is scored by statistics of
the *others*, so that all are held out once: cross-conformal prediction (Vovk 2015) with one episode a fold. What is
promised of new episodes holds for those like the ones that were scored: to say how often a *policy* is stopped, score its
own attempts, not the demonstrations (a policy goes where no demonstration went, if only by a little). From n such
scores the level that a new episode exceeds with probability α is the ⌈(n + 1)(1 − α)⌉-th smallest, whatever their
distribution. That needs n ≥ 1/α − 1 episodes; with fewer, the level is the upper prediction bound of a
log-normal variable, and at least the largest score.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import NormalDist

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.errors import DataError
from kata_policy.monitor import Levels, disagreement, distance

__all__ = ["LEAST_EPISODES", "conformal_level", "disagreement_scores", "distance_scores", "make_levels", "sustained", "whiten"]

LEAST_EPISODES = 3
"""With fewer episodes there is no spread to speak of."""

_FLOOR = 1e-6
"""Smallest score [1, rad]: a level must not be zero, nor its logarithm infinite."""


def whiten(observations: FloatArray, floor: float) -> tuple[FloatArray, FloatArray]:
    """Return mean, shape (d,), and whitening matrix, shape (d, d), of observations.

    The covariance is that of the numbers in their own standard deviations, shrunk towards the identity by Ledoit and Wolf
    (2004): numbers that depend on one another, as joint angles and the hand's place do, else make it singular.

    Args:
        observations: Shape (N, d), finite.
        floor: Smallest standard deviation that is believed [rad, m …].
    """
    mean, scale = observations.mean(axis=0), np.maximum(observations.std(axis=0), floor)
    scaled = (observations - mean) / scale
    lower = np.linalg.cholesky(np.linalg.inv(_shrunk(scaled)))
    return mean, lower.T / scale


def _shrunk(scaled: FloatArray) -> FloatArray:
    """Return the Ledoit–Wolf estimate of a covariance, shape (d, d), of centred rows, shape (N, d)."""
    count, size = scaled.shape
    sample = scaled.T @ scaled / count
    centre = max(float(np.trace(sample)) / size, _FLOOR)
    spread = float(np.square(sample - centre * np.eye(size)).sum())
    noise = float((np.square(scaled).sum(axis=1) ** 2).mean() - np.square(sample).sum()) / count
    share = min(max(noise / spread if spread > 0.0 else 1.0, 1e-4), 1.0)
    shrunk: FloatArray = share * centre * np.eye(size) + (1.0 - share) * sample
    return shrunk


def sustained(scores: FloatArray, steps: int) -> float:
    """Return the largest value that some scores in a row all reach; of a shorter series, their least."""
    if len(scores) <= steps:
        return float(scores.min())
    return float(np.lib.stride_tricks.sliding_window_view(scores, steps).min(axis=1).max())


def distance_scores(episodes: Sequence[FloatArray], steps: int, floor: float) -> FloatArray:
    """Return each episode's sustained distance from all the others, shape (E,).

    Args:
        episodes: Observations of each, shape (T, d).
        steps: As in `sustained`.
        floor: As in `whiten`.
    """
    found = []
    for number, own in enumerate(episodes):
        others = np.concatenate([*episodes[:number], *episodes[number + 1 :]])
        found.append(sustained(distance(own, *whiten(others, floor)), steps))
    return np.array(found)


def disagreement_scores(answers: Sequence[FloatArray], steps: int, gap: int = 1) -> FloatArray:
    """Return each episode's sustained disagreement [rad], shape (E,).

    Args:
        answers: The policy's chunks in each, shape (T, horizon, k), [rad].
        steps: As in `sustained`.
        gap: Steps from one chunk to the next.
    """
    found = []
    for own in answers:
        apart = [disagreement(before, now, gap) for before, now in pairwise(own)]
        found.append(sustained(np.array([0.0, *apart]), steps))
    return np.array(found)


def make_levels(scores: FloatArray, warning_rate: float, hold_rate: float) -> Levels:
    """Return the levels that new episodes exceed with two probabilities.

    Args:
        scores: Of the episodes, shape (E,).
        warning_rate: Share of episodes that may be warned of.
        hold_rate: Share of episodes that may be held, no larger.

    Raises:
        DataError: There are too few episodes, or a score is not finite.
    """
    warning = conformal_level(scores, warning_rate)
    return Levels(warning, max(warning, conformal_level(scores, hold_rate)), len(scores))


def conformal_level(scores: Sequence[float] | FloatArray, rate: float) -> float:
    """Return the level that the next score exceeds with a probability of at most rate.

    Args:
        scores: Of episodes like the next one, shape (n,).
        rate: α above, between 0 and 1.

    Raises:
        DataError: There are too few scores, or one is not finite.
    """
    ordered = np.maximum(np.sort(np.asarray(scores, dtype=float)), _FLOOR)
    if len(ordered) < LEAST_EPISODES or not np.isfinite(ordered).all():
        what = f"{len(ordered)} episodes cannot calibrate the policy's monitor"
        raise DataError(what, fix=f"record at least {LEAST_EPISODES} whose observations are finite")
    rank = math.ceil((len(ordered) + 1) * (1.0 - rate) - 1e-9)
    if rank <= len(ordered):
        return float(ordered[rank - 1])
    return max(float(ordered[-1]), _log_normal_bound(ordered, rate))


def _log_normal_bound(scores: FloatArray, rate: float) -> float:
    """Return the upper prediction bound of a log-normal variable after n scores (Hahn & Meeker 1991, section 4.3)."""
    logs, count = np.log(scores), len(scores)
    spread = float(logs.std(ddof=1)) * math.sqrt(1.0 + 1.0 / count)
    return float(np.exp(logs.mean() + _student(1.0 - rate, count - 1) * spread))


def _student(probability: float, freedom: int) -> float:
    """Return a quantile of Student's distribution, by its series in 1 / freedom (Abramowitz & Stegun 26.7.5)."""
    z = NormalDist().inv_cdf(probability)
    first = (z**3 + z) / 4.0
    second = (5.0 * z**5 + 16.0 * z**3 + 3.0 * z) / 96.0
    third = (3.0 * z**7 + 19.0 * z**5 + 17.0 * z**3 - 15.0 * z) / 384.0
    return z + first / freedom + second / freedom**2 + third / freedom**3
