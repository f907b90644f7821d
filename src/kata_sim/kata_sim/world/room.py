# SPDX-License-Identifier: Apache-2.0
"""The room: floor, light, sky, a camera that watches the scene."""

from typing import Any

import mujoco
import numpy as np

__all__ = ["SCENE_CAMERA", "add_room"]

SCENE_CAMERA = "scene"


def add_room(spec: Any, base_height: float) -> None:
    """Add floor, light, sky and the watching camera.

    Args:
        spec: ``mujoco.MjSpec`` to add to.
        base_height: Height of the robot's base [m]; says how large the robot is and where the camera looks.
    """
    spec.add_texture(
        name="sky",
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=[0.86, 0.89, 0.92],
        rgb2=[0.66, 0.74, 0.82],
        width=256,
        height=256,
    )
    spec.add_texture(
        name="floor",
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
        rgb1=[0.80, 0.82, 0.84],
        rgb2=[0.72, 0.74, 0.77],
        width=256,
        height=256,
    )
    floor = spec.add_material(name="floor", texrepeat=[2, 2], texuniform=True, reflectance=0.0)
    floor.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "floor"
    world = spec.worldbody
    world.add_geom(
        name="floor", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0, 0, 0.05], material="floor", friction=[1.0, 0.005, 0.0001]
    )
    spec.visual.headlight.ambient, spec.visual.headlight.diffuse = [0.45] * 3, [0.35] * 3
    spec.visual.headlight.specular = [0.1] * 3
    spec.visual.map.znear, spec.visual.map.zfar = 0.02, 30.0
    spec.visual.map.haze, spec.visual.rgba.haze = 0.6, [0.86, 0.89, 0.92, 1.0]
    world.add_light(
        pos=[1.5, -1.0, 3.0], dir=_unit([-0.5, 0.35, -1.0]), diffuse=[0.45] * 3, type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL
    )
    eye, look_at = base_height * np.array([[1.95, -1.32, 1.57], [0.13, -0.04, 0.94]])
    world.add_camera(name=SCENE_CAMERA, pos=eye, quat=_look(eye, look_at), fovy=45)


def _unit(vector: list[float]) -> Any:
    return np.asarray(vector) / np.linalg.norm(vector)


def _look(eye: Any, target: Any) -> Any:
    """Return the orientation (wxyz) of a camera at ``eye`` that looks at ``target`` with z up."""
    back = (eye - target) / np.linalg.norm(eye - target)
    right = np.cross([0.0, 0.0, 1.0], back)
    right /= np.linalg.norm(right)
    quaternion = np.zeros(4)
    mujoco.mju_mat2Quat(quaternion, np.column_stack([right, np.cross(back, right), back]).ravel())
    return quaternion
