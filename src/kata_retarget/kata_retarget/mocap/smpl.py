# SPDX-License-Identifier: Apache-2.0
"""Read AMASS clips (``.npz``): joint angles of the SMPL family, with the body model's joints given by the user.

The models' licence forbids to ship them. Any of these serves as the body model: ``SMPLX_NEUTRAL.npz`` and its like
(arrays ``v_template``, ``shapedirs``, ``J_regressor``), which gives the person's own proportions; or an ``.npz`` with
``J`` alone, rest positions of at least the 22 body joints, shape (j, 3), [m].
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from kata_model.arrays import FloatArray
from kata_model.errors import ClipError
from kata_retarget.mocap.rotations import from_vector
from kata_retarget.mocap.skeleton import Motion, Skeleton, forward_kinematics

__all__ = ["SMPL_JOINTS", "read_amass", "read_arrays"]

SMPL_JOINTS: tuple[str, ...] = (
    *("pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle"),
    *("spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder"),
    *("right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"),
)
"""The 22 joints that all models of the family begin with."""
_PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)
_BODY = len(SMPL_JOINTS)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read an ``.npz``; arrays that only pickle can read (labels of some models) are left out.

    Raises:
        ClipError: The file is missing or no ``.npz``.
    """
    arrays = {}
    try:
        with np.load(path, allow_pickle=False) as data:
            for name in data.files:
                try:
                    arrays[name] = data[name]
                except ValueError:
                    continue
    except (OSError, ValueError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not an .npz file, or cut off"
        raise ClipError(f"cannot read: {reason}", where=str(path), fix="check the path, or make the file again") from error
    return arrays


def read_amass(arrays: Mapping[str, np.ndarray], path: Path, body_model: Path | None) -> tuple[Motion, str]:
    """Compute where the joints of a clip are, and say what the body's proportions come from.

    Args:
        arrays: The clip's arrays: ``poses`` (or ``root_orient`` and ``pose_body``), ``trans``, ``mocap_framerate``, ``betas``.
        path: The clip, for errors.
        body_model: The model's file.

    Raises:
        ClipError: No model is given, or arrays are missing, of wrong shape or not finite.
    """
    if body_model is None:
        fix = "give --body-model SMPLX_NEUTRAL.npz, which smpl-x.is.tue.mpg.de offers"
        raise ClipError("an AMASS clip holds angles only, and no body model is given", where=str(path), fix=fix)
    angles, root, fps = _angles(arrays, path)
    rest, how = _rest(read_arrays(body_model), arrays.get("betas"), body_model)
    offset = rest.copy()
    offset[1:] -= rest[list(_PARENTS[1:])]
    skeleton = Skeleton(SMPL_JOINTS, _PARENTS, offset)
    return forward_kinematics(skeleton, root + rest[0], from_vector(angles), fps), how


def _angles(arrays: Mapping[str, np.ndarray], path: Path) -> tuple[FloatArray, FloatArray, float]:
    """Return rotation vectors of the body joints, shape (N, 22, 3), the root's shift, shape (N, 3), and the rate [Hz]."""
    where, fix = str(path), "give a clip as AMASS distributes it"
    rate = next((arrays[key] for key in ("mocap_framerate", "mocap_frame_rate", "fps") if key in arrays), None)
    poses = arrays.get("poses")
    if poses is None and {"root_orient", "pose_body"} <= arrays.keys():
        poses = np.concatenate((arrays["root_orient"], arrays["pose_body"]), axis=1)
    if poses is None or rate is None or "trans" not in arrays:
        raise ClipError("no `poses`, `trans` or `mocap_framerate` in it", where=where, fix=fix)
    poses, root = np.asarray(poses, dtype=float), np.asarray(arrays["trans"], dtype=float)
    if poses.ndim != 2 or poses.shape[1] < 3 * _BODY or root.shape != (len(poses), 3) or not len(poses) or not float(rate) > 0.0:
        shapes = f"poses {poses.shape} and trans {root.shape}"
        raise ClipError(f"{shapes}, expected (N, {3 * _BODY} or more) and (N, 3)", where=where, fix=fix)
    bad = ~(np.isfinite(poses).all(axis=1) & np.isfinite(root).all(axis=1))
    if bad.any():
        raise ClipError(f"frame {int(np.argmax(bad))} holds values that are not finite", where=where, fix="cut the frame out")
    return poses[:, : 3 * _BODY].reshape(-1, _BODY, 3), root, float(rate)


def _rest(model: Mapping[str, np.ndarray], betas: np.ndarray | None, path: Path) -> tuple[FloatArray, str]:
    """Return the joints' rest positions, shape (22, 3), [m], and what they come from."""
    if {"v_template", "J_regressor"} <= model.keys():
        vertices, how = np.asarray(model["v_template"], dtype=float), "the body model's mean"
        if betas is not None and "shapedirs" in model:
            count = min(len(betas), model["shapedirs"].shape[-1])
            vertices = vertices + model["shapedirs"][..., :count] @ np.asarray(betas[:count], dtype=float)
            how = "the body model with the person's shape"
        rest = np.asarray(model["J_regressor"], dtype=float) @ vertices
    elif "J" in model:
        rest, how = np.asarray(model["J"], dtype=float), "the body model's joints, without the person's shape"
    else:
        fix = "give an .npz with v_template, shapedirs and J_regressor, or with J"
        raise ClipError("no joints in the body model", where=str(path), fix=fix)
    if rest.ndim != 2 or rest.shape[0] < _BODY or rest.shape[1] != 3 or not np.isfinite(rest).all():
        raise ClipError(f"the body model's joints have shape {rest.shape}, expected (22 or more, 3)", where=str(path))
    return rest[:_BODY].copy(), f"proportions: {how} ({path.name})"
