# SPDX-License-Identifier: Apache-2.0
"""Which pairs of links need no watching: they overlap at rest, or no posture brings them together."""

import re
from itertools import combinations
from typing import Any

import coal
import numpy as np
import pinocchio as pin

from kata_model.arrays import FloatArray
from kata_model.collision.fit import link_hulls
from kata_model.robot import RobotModel

__all__ = ["harmless_pairs"]

_POSTURES = 400
_DEPTH = 0.004  # overlap of hulls that is a collision [m]
_NEAR = 4  # joints between links that are tried in many postures; links further apart are always watched


def harmless_pairs(robot: RobotModel) -> frozenset[tuple[str, str]]:
    """Return pairs of links, names sorted, found by the links' convex hulls at rest and in random postures."""
    shapes = {link: _convex(corners) for link, corners in link_hulls(robot).items()}
    data = robot.pinocchio.createData()
    rng = np.random.default_rng(0)
    postures = [robot.rest, *rng.uniform(robot.lower, robot.upper, (_POSTURES, len(robot.layout)))]
    places = []
    for position in postures:
        pin.framesForwardKinematics(robot.pinocchio, data, position)
        places.append({link: _transform(data.oMf[robot.frame_id(link)]) for link in shapes})
    found = set()
    for a, b in combinations(sorted(shapes), 2):
        at_rest = _depth(shapes, places[0], a, b) > 0.0
        if at_rest or (_joints_between(robot, a, b) <= _NEAR and all(_depth(shapes, p, a, b) < _DEPTH for p in places[1:])):
            found.add((a, b))
    return frozenset(pair for pair in found if _twin(pair) in found)


def _twin(pair: tuple[str, str]) -> tuple[str, str]:
    """Return the pair of the robot's other side, so that left and right are treated alike."""
    swap = {"left": "right", "right": "left"}
    a, b = sorted(re.sub("left|right", lambda side: swap[side[0]], link) for link in pair)
    return a, b


def _convex(corners: FloatArray) -> Any:
    points = coal.StdVec_Vec3s()
    for corner in corners:
        points.append(corner)
    return coal.Convex.convexHull(points, False, "")


def _transform(placement: Any) -> Any:
    return coal.Transform3s(placement.rotation, placement.translation)


def _depth(shapes: dict[str, Any], place: dict[str, Any], a: str, b: str) -> float:
    result = coal.CollisionResult()
    coal.collide(shapes[a], place[a], shapes[b], place[b], coal.CollisionRequest(), result)
    return max((-float(result.getContact(i).penetration_depth) for i in range(result.numContacts())), default=0.0)


def _joints_between(robot: RobotModel, a: str, b: str) -> int:
    """Return how many joints lie on the way from one link to another."""
    chains = []
    for link in (a, b):
        joint, chain = int(robot.pinocchio.frames[robot.frame_id(link)].parentJoint), set()
        while joint > 0:
            chain.add(joint)
            joint = int(robot.pinocchio.parents[joint])
        chains.append(chain)
    return len(chains[0] ^ chains[1])
