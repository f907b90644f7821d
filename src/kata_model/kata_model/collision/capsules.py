# SPDX-License-Identifier: Apache-2.0
"""Capsules that stand for a robot's links, and which pairs of them must not meet: ``capsules.yaml``."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray

from kata_model.arrays import FloatArray, frozen
from kata_model.config.yaml_data import load_yaml
from kata_model.errors import ConfigError
from kata_model.robot import RobotModel

__all__ = ["Capsule", "CapsuleArrays", "CapsuleSet", "capsule_arrays", "load_capsules"]


@dataclass(frozen=True, slots=True)
class Capsule:
    """All points within a radius of a segment.

    Attributes:
        link: Link that carries it.
        start: One end of the segment in the link's frame, shape (3,), [m].
        end: The other end, shape (3,), [m].
        radius: [m].
    """

    link: str
    start: FloatArray
    end: FloatArray
    radius: float


@dataclass(frozen=True, slots=True)
class CapsuleSet:
    """A robot's capsules.

    Attributes:
        capsules: In any order.
        ignored: Pairs of links that cannot harm each other, names sorted.
    """

    capsules: tuple[Capsule, ...]
    ignored: frozenset[tuple[str, str]]


class CapsuleArrays(NamedTuple):
    """The same for kernels.

    Attributes:
        body: Body (joint index, 0 the base) of each capsule, shape (c,).
        ends: Segment ends in the body's frame, shape (c, 2, 3), [m].
        radius: Shape (c,), [m].
        reach: Half the segment's length plus the radius, shape (c,), [m].
        pair: Pairs that must not meet, shape (p, 2).
        slack: How far each pair may overlap: what it does at rest, shape (p,), [m].
    """

    body: NDArray[np.int64]
    ends: FloatArray
    radius: FloatArray
    reach: FloatArray
    pair: NDArray[np.int64]
    slack: FloatArray


def load_capsules(robot: RobotModel) -> CapsuleSet:
    """Read ``capsules.yaml`` of a robot's folder; a robot without the file has no capsules.

    Raises:
        ConfigError: The file is unusable or names a link that does not exist.
    """
    file = robot.description.folder / "capsules.yaml"
    if not file.is_file():
        return CapsuleSet((), frozenset())
    try:
        found = _parse(load_yaml(file.read_text()))
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        text = f"lacks the key {error}" if isinstance(error, KeyError) else str(error).replace("\n", " ")
        raise ConfigError(f"unusable capsules: {text}", where=str(file), fix="`kata robot capsules` writes the file") from error
    _check_links(found, robot, file)
    return found


def _parse(data: Mapping[str, Any]) -> CapsuleSet:
    capsules = [
        Capsule(str(link), frozen("from_m", c["from_m"], (3,)), frozen("to_m", c["to_m"], (3,)), float(c["radius_m"]))
        for link, several in data["capsules"].items()
        for c in several
    ]
    for c in capsules:
        if not (0.0 < c.radius < 1.0 and np.abs([c.start, c.end]).max() < 10.0):
            raise ValueError(f"capsule of {c.link} with radius {c.radius} from {c.start} to {c.end}")
    return CapsuleSet(tuple(capsules), frozenset(_sorted_pair(a, b) for a, b in data.get("ignore", ())))


def _sorted_pair(a: str, b: str) -> tuple[str, str]:
    return (a, b) if a <= b else (b, a)


def _check_links(found: CapsuleSet, robot: RobotModel, file: Path) -> None:
    for link in {c.link for c in found.capsules} | {link for pair in found.ignored for link in pair}:
        if not robot.pinocchio.existFrame(link):
            raise ConfigError(
                f"the robot has no link {link!r}", where=str(file), fix="`kata robot capsules` writes the file anew"
            )


def capsule_arrays(robot: RobotModel, found: CapsuleSet, distance_at_rest: Iterable[float] | None = None) -> CapsuleArrays:
    """Return capsules and pairs for the kernels.

    Args:
        robot: The robot.
        found: Its capsules.
        distance_at_rest: Distance of each pair with joints at rest [m], if known.
    """
    frames = [robot.pinocchio.frames[robot.frame_id(c.link)] for c in found.capsules]
    body = np.array([int(frame.parentJoint) for frame in frames], dtype=np.int64)
    ends = np.array([[f.placement.act(c.start), f.placement.act(c.end)] for f, c in zip(frames, found.capsules, strict=True)])
    ends = ends.reshape(-1, 2, 3)
    radius = np.array([c.radius for c in found.capsules])
    pair = np.array(_pairs(robot, found, body), dtype=np.int64).reshape(-1, 2)
    slack = np.zeros(len(pair)) if distance_at_rest is None else np.maximum(0.0, -np.array(list(distance_at_rest)))
    reach = 0.5 * np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1) + radius
    return CapsuleArrays(body, ends, radius, reach, pair, slack)


def _pairs(robot: RobotModel, found: CapsuleSet, body: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return pairs of capsules on links that are neither rigidly tied, nor neighbours, nor ignored."""
    parents = list(robot.pinocchio.parents)
    pairs = []
    for i, j in combinations(range(len(body)), 2):
        a, b = int(body[i]), int(body[j])
        near = a == b or parents[b] == a or parents[a] == b
        if not near and _sorted_pair(found.capsules[i].link, found.capsules[j].link) not in found.ignored:
            pairs.append((i, j))
    return pairs
