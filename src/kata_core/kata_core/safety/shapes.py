# SPDX-License-Identifier: Apache-2.0
"""What must stay apart: a robot's capsules, its hands and the borders of their workspace, read from data.

``safety.yaml`` in a robot's folder has these keys, all optional:

- ``capsules_file``: file beside it with ``capsules``, each with link, from, to [m, link's frame] and radius [m].
- ``ignore``: pairs of links that may touch, e.g. since their covers overlap at rest.
- ``clearance``: link pairs with the capsule distance at which their meshes would touch [m]; 0 for all others.
- ``hands``: spheres that the workspace binds: frame and radius [m].
- ``workspace``: ``boxes`` (low, high) that hands must not leave, ``half_spaces`` (normal, offset: normal · x ≤ offset),
  ``keep_out`` (from, to, radius: a capsule, or a sphere where both ends agree), all in the base's frame [m].
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

from kata_core.arrays import FloatArray
from kata_core.errors import RobotError
from kata_core.robot import RobotModel

__all__ = ["Capsule", "Gap", "Half", "Shapes", "load_shapes"]


class Capsule(NamedTuple):
    """A capsule fixed to a body.

    Attributes:
        body: Joint that carries it as in Pinocchio, 0 for the base.
        start: End of its axis in the body's frame, shape (3,), [m].
        end: Other end.
        radius: [m].
        link: Name of its link.
    """

    body: int
    start: FloatArray
    end: FloatArray
    radius: float
    link: str


class Gap(NamedTuple):
    """Two capsules that must stay apart.

    Attributes:
        first: Index of a capsule.
        second: Index of another.
        clearance: Distance of the capsules at which what they enclose could touch [m], 0 or less.
        border: Whether it bounds the workspace, else it is a self-collision.
    """

    first: int
    second: int
    clearance: float
    border: bool


class Half(NamedTuple):
    """A half-space that a capsule must not leave: normal · x ≤ offset for all its points.

    Attributes:
        capsule: Index of the capsule.
        normal: Unit vector in the base's frame, shape (3,).
        offset: [m].
    """

    capsule: int
    normal: FloatArray
    offset: float


@dataclass(frozen=True, slots=True)
class Shapes:
    """All capsules and what they must keep away from.

    Attributes:
        capsules: The robot's own and fixed ones (body 0).
        gaps: Pairs of capsules.
        halves: Half-spaces.
    """

    capsules: tuple[Capsule, ...] = ()
    gaps: tuple[Gap, ...] = ()
    halves: tuple[Half, ...] = ()


def load_shapes(robot: RobotModel) -> Shapes:
    """Read ``safety.yaml`` of a robot's folder; without the file nothing is kept apart.

    Raises:
        RobotError: The file is unusable.
    """
    file = robot.description.folder / "safety.yaml"
    if not file.exists():
        return Shapes()
    try:
        data = yaml.safe_load(file.read_text()) or {}
        unknown = set(data) - {"capsules_file", "ignore", "clearance", "hands", "workspace"}
        if unknown:
            raise ValueError(f"unknown keys {sorted(unknown)}")
        return _build(robot, data, file.parent)
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        text = f"lacks the key {error}" if isinstance(error, KeyError) else str(error).replace("\n", " ")
        raise RobotError(f"unusable safety data: {text}", where=str(file)) from error


def _build(robot: RobotModel, data: Mapping[str, Any], folder: Path) -> Shapes:
    listed = yaml.safe_load((folder / str(data["capsules_file"])).read_text())["capsules"] if "capsules_file" in data else []
    capsules = [_capsule(robot, str(c["link"]), c["from"], c["to"], float(c["radius"])) for c in listed]
    ignored = {frozenset(pair) for pair in data.get("ignore", [])}
    clearance = {frozenset((str(a), str(b))): float(value) for a, b, value in data.get("clearance", [])}
    gaps = [
        Gap(i, j, min(clearance.get(links, 0.0), 0.0), border=False)
        for i, j in combinations(range(len(capsules)), 2)
        if (links := frozenset((capsules[i].link, capsules[j].link))) not in ignored and _may_meet(robot, capsules[i], capsules[j])
    ]
    hands = range(len(capsules), len(capsules) + len(data.get("hands", [])))
    capsules += [_capsule(robot, str(h["frame"]), (0, 0, 0), (0, 0, 0), float(h["radius"])) for h in data.get("hands", [])]
    space = data.get("workspace", {})
    for shape in space.get("keep_out", []):
        ends = (np.array(shape[key], dtype=float) for key in ("from", "to"))
        capsules.append(Capsule(0, *ends, float(shape["radius"]), "workspace"))
        gaps += [Gap(hand, len(capsules) - 1, 0.0, border=True) for hand in hands]
    halves = [Half(hand, normal, offset) for normal, offset in _half_spaces(space) for hand in hands]
    return Shapes(tuple(capsules), tuple(gaps), tuple(halves))


def _capsule(robot: RobotModel, frame: str, start: Sequence[float], end: Sequence[float], radius: float) -> Capsule:
    found = robot.pinocchio.frames[robot.frame_id(frame)]
    place = found.placement
    ends = (place.rotation @ np.asarray(e, dtype=float) + place.translation for e in (start, end))
    if not 0.0 <= radius < 10.0:
        raise ValueError(f"capsule of {frame} has radius {radius}")
    return Capsule(int(found.parentJoint), *ends, radius, frame)


def _may_meet(robot: RobotModel, a: Capsule, b: Capsule) -> bool:
    """Return whether the capsules sit on bodies that are neither one nor neighbours."""
    parents = robot.pinocchio.parents
    return a.body != b.body and a.body != parents[b.body] and b.body != parents[a.body]


def _half_spaces(space: Mapping[str, Any]) -> Iterator[tuple[FloatArray, float]]:
    for half in space.get("half_spaces", []):
        normal = np.array(half["normal"], dtype=float)
        length = float(np.linalg.norm(normal))
        if not length > 0.0:
            raise ValueError(f"half-space with normal {half['normal']}")
        yield normal / length, float(half["offset"]) / length
    for box in space.get("boxes", []):
        low, high = np.array(box["low"], dtype=float), np.array(box["high"], dtype=float)
        if not (low < high).all():
            raise ValueError(f"box is empty: low {box['low']}, high {box['high']}")
        for axis in np.eye(3):
            yield axis, float(axis @ high)
            yield -axis, -float(axis @ low)
