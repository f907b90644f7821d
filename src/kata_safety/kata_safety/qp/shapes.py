# SPDX-License-Identifier: Apache-2.0
"""What must stay apart: a robot's capsules, its hands and the borders of their workspace, read from data.

The robot's own capsules and the pairs to watch are those of `kata_model.collision`. ``safety.yaml`` in the robot's
folder adds these keys, all optional:

- ``hands``: spheres that the workspace binds: frame and radius [m].
- ``workspace``: ``boxes`` (low, high) that hands must not leave, ``half_spaces`` (normal, offset: normal · x ≤ offset),
  ``keep_out`` (from, to, radius: a capsule, or a sphere where both ends agree), all in the base's frame [m].
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pinocchio as pin
import yaml

from kata_model.arrays import FloatArray
from kata_model.collision.capsules import capsule_arrays, load_capsules
from kata_model.config.yaml_data import load_yaml
from kata_model.errors import RobotError
from kata_model.robot import RobotModel
from kata_safety.qp.segments import closest

AT_REST = 0.028
"""Separation that every pair is given at rest, where all are harmless [m]; more than the filter's margin and cushion."""

__all__ = ["Capsule", "Gap", "Half", "Shapes", "load_shapes"]


class Capsule(NamedTuple):
    """A capsule fixed to a body.

    Attributes:
        body: Joint that carries it as in Pinocchio, 0 for the base.
        start: End of its axis in the body's frame, shape (3,), [m].
        end: Other end.
        radius: [m].
    """

    body: int
    start: FloatArray
    end: FloatArray
    radius: float


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
    """Read a robot's capsules and ``safety.yaml``; without these files nothing is kept apart.

    Raises:
        ConfigError: The capsules are unusable.
        RobotError: ``safety.yaml`` is unusable.
    """
    file = robot.description.folder / "safety.yaml"
    if not file.exists():
        return _own(robot, {})
    try:
        data = load_yaml(file.read_text()) or {}
        unknown = set(data) - {"clearances", "hands", "margins", "workspace"}
        if unknown:
            raise ValueError(f"unknown keys {sorted(unknown)}")
        return _with_workspace(robot, _own(robot, data.get("clearances", {})), data)
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        text = f"lacks the key {error}" if isinstance(error, KeyError) else str(error).replace("\n", " ")
        raise RobotError(f"unusable safety data: {text}", where=str(file)) from error


def _own(robot: RobotModel, clearances: Mapping[str, float]) -> Shapes:
    """Return the robot's capsules; pairs that are near at rest may stay as near as they are there.

    Args:
        robot: The robot.
        clearances: By pattern of joint names, what pairs with a capsule that the joint carries keep more than the margin [m].
    """
    arrays = capsule_arrays(robot, load_capsules(robot))
    capsules = tuple(
        Capsule(int(body), ends[0], ends[1], float(radius))
        for body, ends, radius in zip(arrays.body, arrays.ends, arrays.radius, strict=True)
    )
    axes = _axes_at_rest(robot, capsules)
    more = {
        body: max((float(m) for pattern, m in clearances.items() if re.fullmatch(pattern, name)), default=0.0)
        for body, name in enumerate(robot.pinocchio.names)
    }
    gaps = []
    for i, j in arrays.pair.tolist():
        apart = closest(axes, i, j, np.zeros((2, 3))) - capsules[i].radius - capsules[j].radius
        extra = max(more[capsules[i].body], more[capsules[j].body])
        gaps.append(Gap(i, j, min(apart - AT_REST, extra), border=False))
    return Shapes(capsules, tuple(gaps))


def _axes_at_rest(robot: RobotModel, capsules: Sequence[Capsule]) -> FloatArray:
    data = robot.pinocchio.createData()
    pin.forwardKinematics(robot.pinocchio, data, robot.rest)
    return np.array([[data.oMi[c.body].act(end) for end in (c.start, c.end)] for c in capsules]).reshape(-1, 2, 3)


def _with_workspace(robot: RobotModel, own: Shapes, data: Mapping[str, Any]) -> Shapes:
    capsules, gaps = list(own.capsules), list(own.gaps)
    hands = range(len(capsules), len(capsules) + len(data.get("hands", [])))
    capsules += [_sphere(robot, str(h["frame"]), float(h["radius"])) for h in data.get("hands", [])]
    space = data.get("workspace", {})
    for shape in space.get("keep_out", []):
        start, end = (np.array(shape[key], dtype=float) for key in ("from", "to"))
        capsules.append(Capsule(0, start, end, float(shape["radius"])))
        gaps += [Gap(hand, len(capsules) - 1, 0.0, border=True) for hand in hands]
    halves = [Half(hand, normal, offset) for normal, offset in _half_spaces(space) for hand in hands]
    return Shapes(tuple(capsules), tuple(gaps), tuple(halves))


def _sphere(robot: RobotModel, frame: str, radius: float) -> Capsule:
    found = robot.pinocchio.frames[robot.frame_id(frame)]
    if not 0.0 <= radius < 10.0:
        raise ValueError(f"sphere of {frame} has radius {radius}")
    return Capsule(int(found.parentJoint), found.placement.translation, found.placement.translation, radius)


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
