# SPDX-License-Identifier: Apache-2.0
"""Meshes with fewer triangles, so that software rendering keeps up; kept in the user's cache."""

import hashlib
import os
from pathlib import Path

import numpy as np

from kata_model.atomic import new_file
from kata_model.errors import RobotError

__all__ = ["cached_mesh"]

_RECIPE = "3"
"""Part of each cache key: raise it when the way of making a mesh changes."""

_AGGRESSION = 4
"""How fast the decimation's tolerance grows; less keeps the form better and takes longer."""

_LEAST_TRIANGLES = 200
"""A mesh of fewer loses its form."""

_MAX_TRIANGLES = 200_000
"""MuJoCo refuses meshes of more."""


def cached_mesh(source: Path, keep: float) -> Path:
    """Return the path of a binary STL with a share of a mesh's triangles.

    Vertices in common are welded first; small meshes keep what they need.

    Args:
        source: Any mesh that trimesh reads.
        keep: Share of the triangles to keep, 0 to 1.

    Raises:
        RobotError: The mesh cannot be read, or the cache cannot be written.
    """
    try:
        content = source.read_bytes()
        key = hashlib.sha256(f"{_RECIPE} {keep} {source.suffix.lower()} ".encode() + content).hexdigest()[:24]
        target = _cache_folder() / f"{source.stem}-{key}.stl"
        if not target.exists():
            with new_file(target) as partial:  # two simulators may start at once
                partial.write_bytes(_decimated(source, keep))
        return target
    except (OSError, ValueError, ImportError, NotImplementedError) as error:
        raise RobotError(
            f"cannot use mesh: {error}", where=str(source), fix="check the file and that ~/.cache is writable"
        ) from error


def _cache_folder() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(root) / "kata" / "meshes"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _decimated(source: Path, keep: float) -> bytes:
    import fast_simplification  # both take long to import, and a full cache needs neither
    import trimesh

    mesh = trimesh.load(source, force="mesh")
    if not len(mesh.faces):
        raise ValueError("it has no triangles")
    goal = min(max(round(keep * len(mesh.faces)), _LEAST_TRIANGLES), _MAX_TRIANGLES)
    vertices, faces = np.asarray(mesh.vertices, np.float32), np.asarray(mesh.faces, np.int32)
    if goal < len(faces):
        vertices, faces = fast_simplification.simplify(vertices, faces, target_count=goal, agg=_AGGRESSION)
    data = trimesh.Trimesh(vertices, faces, process=False).export(file_type="stl")
    return bytes(data)
