# SPDX-License-Identifier: Apache-2.0
"""A robot in a plain room as a MuJoCo model, built from its URDF and its folder of data."""

from typing import Any

import mujoco
import numpy as np

from kata_model.errors import RobotError
from kata_model.robot import RobotModel
from kata_sim.config import SimConfig
from kata_sim.tasks.task import Task
from kata_sim.world.robot_data import SimData
from kata_sim.world.room import add_room
from kata_sim.world.urdf import urdf_for_mujoco

__all__ = ["HEAD_CAMERA", "IMU_SITE", "build_model"]

HEAD_CAMERA = "head"
IMU_SITE = "imu"

VISUAL_GROUP, COLLISION_GROUP = 2, 3
"""MuJoCo shows groups 0 to 2 and hides the others."""

MESH_DETAIL = {"fast": 0.1, "fine": 0.5}
"""Share of the meshes' triangles that is kept; 0.1 leaves 38,000 of the G1's 290,000."""

_LINK_TO_CAMERA_WXYZ = (0.5, 0.5, -0.5, -0.5)
"""A link looks along x with z up, a MuJoCo camera along -z with y up."""


def build_model(robot: RobotModel, data: SimData, config: SimConfig, task: Task | None = None) -> Any:
    """Return a compiled ``mujoco.MjModel`` with the task's things; actuator i is a motor at joint i of the robot's layout.

    Raises:
        RobotError: MuJoCo cannot use the URDF, or the robot's data name links that it lacks.
    """
    try:
        spec = mujoco.MjSpec.from_string(urdf_for_mujoco(robot.description, MESH_DETAIL[config.image_quality]))
        _set_options(spec, config)
        _place_base(spec, robot, config)
        _mark_geoms(spec)
        _add_drives(spec, robot, data)
        _add_sensors(spec, robot, data)
        add_room(spec, robot.description.base_height)
        _exclude_touching_pairs(spec, robot)
        if task is not None:
            task.furnish(spec, robot.description.base_height)
        return spec.compile()
    except (ValueError, mujoco.FatalError) as error:
        text = str(error).replace("\n", " ")
        raise RobotError(f"MuJoCo cannot use it: {text}", where=str(robot.description.urdf)) from error


def _set_options(spec: Any, config: SimConfig) -> None:
    spec.option.timestep = config.timestep
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    # Elliptic cones with a high impedance ratio hold objects without slip (anchors: manipulation scene).
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10.0
    if config.image_quality == "fast":  # multisampling and shadows cost most of the time of software rendering
        spec.visual.quality.offsamples = spec.visual.quality.shadowsize = 0


def _place_base(spec: Any, robot: RobotModel, config: SimConfig) -> None:
    base = _body(spec, robot.description.base_link, robot)
    base.pos = [0.0, 0.0, robot.description.base_height]
    if config.base == "floating":
        base.add_freejoint(name="base")


def _mark_geoms(spec: Any) -> None:
    for geom in spec.geoms:
        geom.group = COLLISION_GROUP if geom.contype else VISUAL_GROUP


def _add_drives(spec: Any, robot: RobotModel, data: SimData) -> None:
    dynamics = data.joint_dynamics(robot.layout)
    for i, name in enumerate(robot.layout.names):
        joint = spec.joint(name)
        joint.armature = dynamics.armature[i]
        joint.damping = [dynamics.damping[i], 0.0, 0.0]  # a polynomial in speed since MuJoCo 3.11
        joint.frictionloss = dynamics.friction[i]
        limit = robot.max_effort[i]
        motor = spec.add_actuator(name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        motor.ctrllimited, motor.ctrlrange = True, [-limit, limit]


def _add_sensors(spec: Any, robot: RobotModel, data: SimData) -> None:
    for name, frame in robot.description.frames.items():
        placement = robot.pinocchio.frames[robot.frame_id(name)].placement
        link = robot.pinocchio.frames[robot.frame_id(frame.link)].placement
        offset = link.inverse() * placement
        quaternion = np.zeros(4)
        mujoco.mju_mat2Quat(quaternion, np.ascontiguousarray(offset.rotation).ravel())
        _body(spec, frame.link, robot).add_site(name=name, pos=offset.translation, quat=quaternion, group=COLLISION_GROUP)
    if data.imu_link:
        _body(spec, data.imu_link, robot).add_site(name=IMU_SITE, group=COLLISION_GROUP)
        for kind in ("FRAMEQUAT", "GYRO", "ACCELEROMETER"):
            sensor = spec.add_sensor(name=f"{IMU_SITE}_{kind.lower()}", type=getattr(mujoco.mjtSensor, f"mjSENS_{kind}"))
            sensor.objtype, sensor.objname = mujoco.mjtObj.mjOBJ_SITE, IMU_SITE
    if data.camera:
        body = _body(spec, data.camera.link, robot)
        body.add_camera(name=HEAD_CAMERA, quat=_LINK_TO_CAMERA_WXYZ, fovy=np.degrees(data.camera.fovy))


def _body(spec: Any, link: str, robot: RobotModel) -> Any:
    body = spec.body(link)
    if body is None:
        raise RobotError(f"the URDF has no link {link!r}", where=str(robot.description.folder))
    return body


def _exclude_touching_pairs(spec: Any, robot: RobotModel) -> None:
    """Leave out contacts between links that touch already at rest: overlapping hulls, not collisions."""
    model = spec.compile()
    data = mujoco.MjData(model)
    data.qpos[[model.joint(name).qposadr[0] for name in robot.layout.names]] = robot.rest
    mujoco.mj_forward(model, data)
    pairs = {tuple(sorted((int(model.geom_bodyid[a]), int(model.geom_bodyid[b])))) for a, b in data.contact.geom}
    pairs |= _held_neighbours(model)
    for first, second in sorted(pairs):
        if first != 0:
            spec.add_exclude(bodyname1=model.body(first).name, bodyname2=model.body(second).name)


def _held_neighbours(model: Any) -> set[tuple[int, ...]]:
    """Return pairs of a link that is rigid with a held base and a link that a joint ties to it.

    MuJoCo leaves out contacts of neighbours, but not where one of them is fixed to the world: the covers of
    pelvis and hips would then block the hip joints.
    """
    held = [body for body in range(1, model.nbody) if model.body_weldid[body] == 0]
    tied = [
        body
        for body in range(1, model.nbody)
        if body not in held and model.body_weldid[model.body_parentid[model.body_weldid[body]]] == 0
    ]
    return {tuple(sorted((a, b))) for a in held for b in tied}
