# SPDX-License-Identifier: Apache-2.0
"""Bags of reaches without a simulator: an arm that lags its command, moved by inverse kinematics.

They hold the same streams, types and stamps as bags from the graph, so that the tests need no stored blob.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pinocchio as pin
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from kata_learning.augmentation import AugmentConfig
from kata_learning.policies.config import MlpConfig
from kata_learning.training.recipe import Recipe
from kata_learning.training.train_config import TrainConfig
from kata_model.kinematics.minimum_jerk import minimum_jerk
from kata_model.robot import RobotModel

MSGS = Path(__file__).parents[2] / "src/kata_msgs/msg"
RATE = 250
START = 5_000_000_000
LAG = 0.03
SHORT = Recipe(
    "mlp",
    MlpConfig(hidden=32, layers=2),
    TrainConfig(epochs=12, horizon=8, batch=16, rate=5e-3),
    AugmentConfig(noise=0.01, shift=0.02),
)
"""A training of a second, for tests that need any policy."""
ARM = tuple(
    f"right_{part}_joint"
    for part in ("shoulder_pitch", "shoulder_roll", "shoulder_yaw", "elbow", "wrist_roll", "wrist_pitch", "wrist_yaw")
)


def make_store() -> Any:
    """Return a type store with ROS 2's types and Kata's."""
    store = get_typestore(Stores.ROS2_JAZZY)
    types = {}
    for file in sorted(MSGS.glob("*.msg")):
        types.update(get_types_from_msg(file.read_text(), f"kata_msgs/msg/{file.stem}"))
    store.register(types)
    return store


@dataclass
class Reach:
    """One simulated reach, sampled at RATE; source is the stamp of the frame that caused each command."""

    stamp: np.ndarray
    source: np.ndarray
    measured: np.ndarray
    velocity: np.ndarray
    command: np.ndarray
    goal: np.ndarray


def goal_in_reach(rng: np.random.Generator) -> np.ndarray:
    """Return a goal before the right shoulder, in the base's frame [m]."""
    return rng.uniform([0.22, -0.30, 0.05], [0.36, -0.05, 0.30])


def reach_step(robot: RobotModel, position: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the position after one damped least-squares step of the right arm towards a palm position [m]."""
    model, data = robot.pinocchio, robot.pinocchio.createData()
    frame, index = robot.frame_id("right_palm"), robot.layout.indices(ARM)
    for _ in range(3):
        pin.computeJointJacobians(model, data, position)
        pin.updateFramePlacements(model, data)
        jacobian = pin.getFrameJacobian(model, data, frame, pin.LOCAL_WORLD_ALIGNED)[:3, index]
        error = wanted - data.oMf[frame].translation
        step = jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + 1e-4 * np.eye(3), error)
        position = position.copy()
        position[index] += np.clip(step, -0.05, 0.05)
        position = robot.clamp(position)
    return position


def simulate_reach(robot: RobotModel, rng: np.random.Generator, seconds: float = 2.0) -> Reach:
    """Move the palm along a minimum-jerk path to a random goal and wait there."""
    goal = goal_in_reach(rng)
    count = int(seconds * RATE)
    wanted = robot.rest.copy()
    wanted[robot.layout.indices(ARM)] += rng.uniform(-0.1, 0.1, len(ARM))
    measured, velocity = wanted.copy(), np.zeros_like(wanted)
    start = robot.frame_poses(wanted, ("right_palm",))[0].translation
    rows: dict[str, list[np.ndarray]] = {"measured": [], "velocity": [], "command": []}
    for i in range(count):
        wanted = reach_step(robot, wanted, minimum_jerk(start, goal, 0.6 * seconds, i / RATE))
        for name, value in (("measured", measured), ("velocity", velocity), ("command", wanted)):
            rows[name].append(value.copy())
        velocity = (wanted - measured) / LAG
        measured = measured + velocity / RATE
    stamp = START + np.arange(count, dtype=np.int64) * (1_000_000_000 // RATE)
    source = stamp[np.arange(count) // 2 * 2]
    return Reach(stamp, source, *(np.array(rows[name]) for name in ("measured", "velocity", "command")), goal)


def write_bag(
    path: Path,
    robot: RobotModel,
    reach: Reach,
    *,
    pictures: Mapping[str, Sequence[bytes]] | None = None,
    interventions: Sequence[tuple[float, float]] = (),
    wrenches: Mapping[str, tuple[np.ndarray, np.ndarray]] | None = None,
    **custom: str,
) -> Path:
    """Write a reach as a bag with the streams that Kata records.

    JPEGs come in turn at 30 Hz for each camera, marks where interventions begin and end [s]; of each force and torque
    sensor there are stamps [ns] and rows of six numbers.
    """
    store = make_store()
    about = {"task": "reach the ball", "task_success": "true", "robot": robot.description.name, **custom}
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        for key, value in about.items():
            writer.set_custom_data(key, value)
        _write_messages(writer, store, robot, reach)
        if interventions:
            _write_marks(writer, store, int(reach.stamp[0]), interventions)
        for camera, jpegs in (pictures or {}).items():
            _write_pictures(writer, store, reach, f"/camera/{camera}/image_raw/compressed", jpegs)
        for sensor, (stamps, rows) in (wrenches or {}).items():
            _write_wrenches(writer, store, f"/{sensor}/wrench", stamps, rows)
    return path


def _write_wrenches(writer: Writer, store: Any, topic: str, stamps: np.ndarray, rows: np.ndarray) -> None:
    kind, vector, wrench = (f"geometry_msgs/msg/{name}" for name in ("WrenchStamped", "Vector3", "Wrench"))
    channel = writer.add_connection(topic, kind, typestore=store)
    for stamp, row in zip(stamps.tolist(), rows.tolist(), strict=True):
        force, torque = (store.types[vector](*row[k : k + 3]) for k in (0, 3))
        message = store.types[kind](header=header(store, stamp), wrench=store.types[wrench](force=force, torque=torque))
        writer.write(channel, stamp + 300_000, store.serialize_cdr(message, kind))


def _write_marks(writer: Writer, store: Any, start: int, interventions: Sequence[tuple[float, float]]) -> None:
    kind = "kata_msgs/msg/EpisodeMark"
    channel = writer.add_connection("/episode/marks", kind, typestore=store)
    for turn in (1, 2):
        for span in interventions:
            stamp = start + round(span[turn - 1] * 1e9)
            message = store.types[kind](header=header(store, stamp), kind=turn, label="intervention")
            writer.write(channel, stamp, store.serialize_cdr(message, kind))


def _write_pictures(writer: Writer, store: Any, reach: Reach, topic: str, jpegs: Sequence[bytes]) -> None:
    kind = "sensor_msgs/msg/CompressedImage"
    channel = writer.add_connection(topic, kind, typestore=store)
    for i, stamp in enumerate(range(int(reach.stamp[0]), int(reach.stamp[-1]), 1_000_000_000 // 30)):
        data = np.frombuffer(jpegs[i % len(jpegs)], dtype=np.uint8)
        message = store.types[kind](header=header(store, stamp), format="jpeg", data=data)
        writer.write(channel, stamp + 5_000_000, store.serialize_cdr(message, kind))


def make_jpegs(count: int, width: int = 64, height: int = 48, seed: int = 0) -> list[bytes]:
    """Return pictures of a moving square over a coloured ground with some grain."""
    rng = np.random.default_rng(seed)
    across, down = np.meshgrid(np.linspace(0, 160, width), np.linspace(0, 160, height))
    jpegs = []
    for i in range(count):
        picture = np.stack([across, down, np.full_like(across, 10 * seed + 40)], axis=-1) + rng.normal(0, 3, (height, width, 3))
        side, left = height // 4, (width - height // 4) * i // max(count - 1, 1)
        picture[side : 2 * side, left : left + side] = (30, 60, 230)
        pixels = np.clip(picture, 0, 255).astype(np.uint8)
        jpegs.append(bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]))  # as the simulator's camera
    return jpegs


def _write_messages(writer: Writer, store: Any, robot: RobotModel, reach: Reach) -> None:
    names = list(robot.layout.names)
    types = {
        "/joint_states": "sensor_msgs/msg/JointState",
        "/target": "kata_msgs/msg/JointCommand",
        "/command": "kata_msgs/msg/JointCommand",
        "/verdict": "kata_msgs/msg/Verdict",
        "/task/state": "kata_msgs/msg/TaskState",
    }
    channels = {topic: writer.add_connection(topic, kind, typestore=store) for topic, kind in types.items()}

    def put(topic: str, received: int, **fields: Any) -> None:
        message = store.types[types[topic]](**fields)
        writer.write(channels[topic], received, store.serialize_cdr(message, types[topic]))

    for i, stamp in enumerate(reach.stamp.tolist()):
        head, zeros = header(store, stamp), np.zeros(len(names))
        put(
            "/joint_states",
            stamp + 300_000,
            header=head,
            name=names,
            position=reach.measured[i],
            velocity=reach.velocity[i],
            effort=zeros,
        )
        if i % 5 == 0:
            goal = body(store, "goal", reach.goal)
            put("/task/state", stamp + 300_000, header=head, task="reach", objects=[goal], success=False, elapsed=i / RATE)
        source = int(reach.source[i])
        order = {
            "names": names,
            "position": reach.command[i],
            "velocity": zeros,
            "effort": zeros,
            "stiffness": robot.stiffness,
            "damping": robot.damping,
        }
        put("/target", stamp + 1_000_000, header=header(store, source), **order)
        put("/command", stamp + 2_000_000, header=header(store, source), **order)
        put("/verdict", stamp + 2_000_000, header=header(store, stamp + 1_500_000), **verdict(store, names, i, source, stamp))


def verdict(store: Any, names: list[str], i: int, source: int, stamp: int) -> dict[str, Any]:
    """Return the fields of a verdict that limits in the first 0.2 s and follows then."""
    limited = i < RATE // 5
    flags = np.zeros(len(names), np.uint8)
    flags[-3] = 4 * limited
    return {
        "status": 2 if limited else 1,
        "reasons": ["acceleration_limit"] if limited else [],
        "names": names,
        "joint_flags": flags,
        "state": [],
        "source_stamp": time(store, source),
        "target_stamp": time(store, stamp + 1_000_000),
        "command_stamp": time(store, stamp + 1_500_000),
        "state_stamp": time(store, stamp),
    }


def time(store: Any, stamp: int) -> Any:
    """Return a builtin_interfaces/Time of a stamp in [ns]."""
    return store.types["builtin_interfaces/msg/Time"](sec=stamp // 1_000_000_000, nanosec=stamp % 1_000_000_000)


def header(store: Any, stamp: int) -> Any:
    """Return a header with a stamp in [ns]."""
    return store.types["std_msgs/msg/Header"](stamp=time(store, stamp), frame_id="pelvis")


def body(store: Any, name: str, position: np.ndarray) -> Any:
    """Return a BodyPose at a position with identity orientation."""
    x, y, z = map(float, position)
    point = store.types["geometry_msgs/msg/Point"](x=x, y=y, z=z)
    turn = store.types["geometry_msgs/msg/Quaternion"](x=0.0, y=0.0, z=0.0, w=1.0)
    pose = store.types["geometry_msgs/msg/Pose"](position=point, orientation=turn)
    return store.types["kata_msgs/msg/BodyPose"](name=name, pose=pose, confidence=1.0)
