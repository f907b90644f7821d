# SPDX-License-Identifier: Apache-2.0
"""Fits capsules to the links of a robot's URDF.

A link is the convex hull of its collision geometry and of what one sees of it, as physics engines take it.
Hulls that one capsule would blow up are divided among several.
"""

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import coal
import numpy as np
import pinocchio as pin
from scipy.optimize import minimize
from scipy.spatial import ConvexHull

from kata_model.arrays import FloatArray
from kata_model.collision.capsules import Capsule
from kata_model.errors import RobotError
from kata_model.robot import RobotModel
from kata_model.robot.urdf import urdf_with_meshes

__all__ = ["fit_capsules", "link_hulls"]

_SAMPLES = 300
_INSET = 0.002  # how far surface points may stand out of the capsules [m]
_EXCESS = 1.5  # volume of capsules per volume of hull that is accepted
_MOST = 4
_MIRROR = np.array([1.0, -1.0, 1.0])
_SMALLEST = 1e-6  # hulls below this volume are left out [m³]


def link_hulls(robot: RobotModel) -> dict[str, FloatArray]:
    """Return the corners of each link's convex hull in the link's frame, shape (v, 3) each, [m].

    Raises:
        RobotError: The URDF's geometry cannot be read.
    """
    points: dict[str, list[FloatArray]] = {}
    for kind in (pin.GeometryType.COLLISION, pin.GeometryType.VISUAL):
        for geometry in _geometries(robot, kind):
            frame = robot.pinocchio.frames[geometry.parentFrame]
            placement = frame.placement.inverse() * geometry.placement
            corners = _corners(geometry) @ placement.rotation.T + placement.translation
            points.setdefault(frame.name, []).append(corners)
    hulls = {link: np.concatenate(parts) for link, parts in points.items()}
    found = {link: ConvexHull(corners) for link, corners in hulls.items() if _is_solid(corners)}
    return {link: hull.points[hull.vertices] for link, hull in found.items() if hull.volume > _SMALLEST}


def _is_solid(corners: FloatArray) -> bool:
    """Return whether points extend in three directions, more than 0.1 mm each."""
    return len(corners) > 3 and bool(np.linalg.svd(corners - corners.mean(axis=0), compute_uv=False)[2] > 1e-4)


def fit_capsules(robot: RobotModel, watch: Callable[[list[str]], Iterable[str]] = iter) -> tuple[Capsule, ...]:
    """Return capsules that cover all links; takes some seconds a link.

    Args:
        robot: The robot.
        watch: Told the links, gives them back one by one: a progress bar.

    What is mirrored in the robot is mirrored in its capsules: a right link whose hull is the left one's mirror
    image gets the mirrored capsules, and a link in the middle gets pairs of them.
    """
    hulls = link_hulls(robot)
    found: dict[str, FloatArray] = {}
    for link in watch(list(hulls)):
        corners = hulls[link]
        twin = link.replace("right", "left")
        if twin != link and twin in found and _is_mirror(hulls[twin], corners):
            found[link] = _mirrored(found[twin])
        else:
            found[link] = _cover(corners, _is_mirror(corners, corners))
    return tuple(Capsule(link, c[:3], c[3:6], float(c[6])) for link, several in found.items() for c in several)


def _is_mirror(one: FloatArray, other: FloatArray) -> bool:
    """Return whether two hulls extend equally far in all directions, one of them mirrored, within 4 mm."""
    directions = _sphere_directions(200)
    reach, mirrored = (one @ directions.T).max(axis=0), ((other * _MIRROR) @ directions.T).max(axis=0)
    return bool(np.abs(reach - mirrored).max() < 0.004)


def _mirrored(capsules: FloatArray) -> FloatArray:
    mirrored: FloatArray = capsules * np.array([*_MIRROR, *_MIRROR, 1.0])
    return mirrored


def _geometries(robot: RobotModel, kind: Any) -> Sequence[Any]:
    text = ET.tostring(urdf_with_meshes(robot.description), encoding="unicode")
    try:
        model = pin.buildGeomFromUrdfString(robot.pinocchio, text, kind)
    except (ValueError, RuntimeError) as error:
        where = str(robot.description.urdf)
        raise RobotError(f"geometry cannot be read: {str(error).splitlines()[0]}", where=where) from error
    return list(model.geometryObjects)


def _corners(geometry: Any) -> FloatArray:
    shape = geometry.geometry
    if hasattr(shape, "vertices"):
        return np.array(shape.vertices(), dtype=float)
    ball = _sphere_directions(60)
    if isinstance(shape, coal.Sphere):
        return np.array(ball * shape.radius)
    if isinstance(shape, coal.Box):
        corners = np.array(np.meshgrid(*[(-1.0, 1.0)] * 3)).reshape(3, -1).T
        return np.array(corners * shape.halfSide)
    if isinstance(shape, coal.Cylinder | coal.Capsule):
        angle = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
        ring = np.stack([np.cos(angle), np.sin(angle), np.zeros(24)], axis=1) * shape.radius
        half = np.array([0.0, 0.0, shape.halfLength])
        if isinstance(shape, coal.Cylinder):
            return np.concatenate([ring + half, ring - half])
        return np.concatenate([ball * shape.radius + half, ball * shape.radius - half])
    raise RobotError(
        f"geometry of kind {type(shape).__name__} is not supported", where=geometry.name, fix="use meshes, boxes, spheres"
    )


def _sphere_directions(count: int) -> FloatArray:
    """Return directions evenly spread (Fibonacci lattice), shape (count, 3)."""
    i = np.arange(count) + 0.5
    z, angle = 1.0 - 2.0 * i / count, np.pi * (1.0 + 5.0**0.5) * i
    r = np.sqrt(1.0 - z * z)
    return np.stack([r * np.cos(angle), r * np.sin(angle), z], axis=1)


def _cover(corners: FloatArray, symmetric: bool) -> FloatArray:
    """Return the fewest capsules that cover a hull without much excess, shape (m, 7)."""
    hull, rng = ConvexHull(corners), np.random.default_rng(0)
    surface = np.concatenate([rng.permutation(corners)[:_SAMPLES], _on_surface(hull, rng)])
    best, least = np.empty((0, 7)), np.inf
    for count in range(1, _MOST + 1):
        capsules = _candidate(surface, count, symmetric, rng)
        excess = _union_volume(capsules, rng) / hull.volume
        if excess < 0.9 * least:
            best, least = capsules, excess
        if least < _EXCESS:
            break
    return best


def _candidate(surface: FloatArray, count: int, symmetric: bool, rng: np.random.Generator) -> FloatArray:
    if symmetric and count % 2 == 0:
        both = np.concatenate([surface, surface * _MIRROR])
        half = np.array([_enclose(part) for part in _divide(both[both[:, 1] >= 0.0], count // 2, rng)])
        return np.concatenate([half, _mirrored(half)])
    capsules = np.array([_enclose(part) for part in _divide(surface, 1 if symmetric else count, rng)])
    if symmetric:
        ends = capsules[0, :6].reshape(2, 3)
        across = abs(ends[1, 1] - ends[0, 1]) > 0.7 * np.linalg.norm(ends[1] - ends[0])
        other = (ends[::-1] if across else ends) * _MIRROR
        ends = 0.5 * (ends + other)
        capsules[0] = np.append(ends.ravel(), _radius(ends.ravel(), surface))
    return capsules


def _on_surface(hull: Any, rng: np.random.Generator) -> FloatArray:
    a, b, c = (hull.points[hull.simplices[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    pick = rng.choice(len(area), _SAMPLES, p=area / area.sum())
    u, v = np.sqrt(rng.random(_SAMPLES)), rng.random(_SAMPLES)
    weights = np.stack([1.0 - u, u * (1.0 - v), u * v], axis=1)
    points: FloatArray = np.einsum("sk,ksd->sd", weights, np.stack([a[pick], b[pick], c[pick]]))
    return points


def _divide(points: FloatArray, count: int, rng: np.random.Generator) -> list[FloatArray]:
    """Divide points into clusters by k-means (Lloyd 1982) from far-apart seeds."""
    seeds = [points[rng.integers(len(points))]]
    for _ in range(count - 1):
        seeds.append(points[np.argmax(np.min([np.linalg.norm(points - s, axis=1) for s in seeds], axis=0))])
    centres = np.array(seeds)
    for _ in range(30):
        label = np.argmin(np.linalg.norm(points[:, None] - centres[None], axis=2), axis=1)
        centres = np.array([points[label == k].mean(axis=0) if (label == k).any() else centres[k] for k in range(count)])
    return [points[label == k] for k in range(count) if (label == k).sum() > 3]


def _enclose(points: FloatArray) -> FloatArray:
    """Return the capsule of least volume around points: start, end, radius, shape (7,)."""
    centre = points.mean(axis=0)
    axes = np.linalg.svd(points - centre, full_matrices=False)[2]
    best, least = np.empty(7), np.inf
    for axis in axes:
        along = (points - centre) @ axis
        half = 0.5 * (along.max() - along.min())
        for share in (0.1, 0.6):
            start = np.concatenate([centre - share * half * axis, centre + share * half * axis])
            found = minimize(
                _volume, start, (points,), method="Nelder-Mead", options={"maxiter": 400, "xatol": 1e-4, "fatol": 1e-9}
            )
            if found.fun < least:
                best, least = np.append(found.x, _radius(found.x, points)), float(found.fun)
    return best


def _radius(ends: FloatArray, points: FloatArray) -> float:
    return max(float(_from_segment(points, ends[:3], ends[3:]).max()) - _INSET, 0.002)


def _volume(ends: FloatArray, points: FloatArray) -> float:
    r = _radius(ends, points)
    return float(np.pi * r * r * (np.linalg.norm(ends[3:] - ends[:3]) + 4.0 / 3.0 * r))


def _from_segment(points: FloatArray, start: FloatArray, end: FloatArray) -> FloatArray:
    along = end - start
    t = np.clip((points - start) @ along / max(float(along @ along), 1e-12), 0.0, 1.0)
    distance: FloatArray = np.linalg.norm(points - start - t[:, None] * along, axis=1)
    return distance


def _union_volume(capsules: FloatArray, rng: np.random.Generator) -> float:
    ends = capsules[:, :6].reshape(-1, 2, 3)
    low = (ends - capsules[:, 6, None, None]).min(axis=(0, 1))
    high = (ends + capsules[:, 6, None, None]).max(axis=(0, 1))
    points = low + (high - low) * rng.random((20000, 3))
    inside = np.zeros(len(points), dtype=bool)
    for c in capsules:
        inside |= _from_segment(points, c[:3], c[3:6]) < c[6]
    return float(np.prod(high - low) * inside.mean())
