# SPDX-License-Identifier: Apache-2.0
"""The numbers of one episode: what was measured, sent and seen, in the robot's joint order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kata_data.bags.cdr import FIELDS, JointTable, number_slices, read_joints
from kata_data.bags.raw_bags import RawBag, read_raw
from kata_data.bags.reader import BagInfo, Stream, missing_stream
from kata_model.arrays import FloatArray
from kata_model.errors import DataError
from kata_model.joint_states import JointStates
from kata_model.joints import JointLayout

__all__ = [
    "TOPICS",
    "CommandSeries",
    "ObjectSeries",
    "Recording",
    "StateSeries",
    "command_series",
    "object_series",
    "read_recording",
    "recording_of",
    "state_series",
    "topic_name",
]

TOPICS = ("joint_states", "command", "task/state")
"""The streams that a dataset is built from."""


@dataclass(frozen=True, slots=True)
class StateSeries:
    """Measured joints.

    Attributes:
        stamp: Shape (S,), [ns].
        position: Shape (S, n), [rad], layout order.
        velocity: Shape (S, n), [rad/s].
        effort: Shape (S, n), [N·m]; zero where the robot does not measure it.
    """

    stamp: NDArray[np.int64]
    position: FloatArray
    velocity: FloatArray
    effort: FloatArray


@dataclass(frozen=True, slots=True)
class CommandSeries:
    """Commands, or targets, as they were published.

    Attributes:
        stamp: Of the source sample that caused each, shape (C,), [ns].
        received: When the recorder got each, shape (C,), [ns].
        position: Shape (C, n), [rad], layout order.
        velocity: Shape (C, n), [rad/s].
        effort: Feed-forward, shape (C, n), [N·m].
        stiffness: Shape (C, n), [N·m/rad].
        damping: Shape (C, n), [N·m·s/rad].
    """

    stamp: NDArray[np.int64]
    received: NDArray[np.int64]
    position: FloatArray
    velocity: FloatArray
    effort: FloatArray
    stiffness: FloatArray
    damping: FloatArray


@dataclass(frozen=True, slots=True)
class ObjectSeries:
    """Objects of the task.

    Attributes:
        stamp: Shape (O,), [ns].
        pose: By object, position [m] and xyzw quaternion in the robot's base frame, shape (O, 7).
    """

    stamp: NDArray[np.int64]
    pose: Mapping[str, FloatArray]

    @property
    def position(self) -> Mapping[str, FloatArray]:
        """Positions alone, by object, shape (O, 3), [m]."""
        return {name: poses[:, :3] for name, poses in self.pose.items()}


@dataclass(frozen=True, slots=True)
class Recording:
    """One episode as arrays.

    Attributes:
        info: What the bag says of itself.
        task: Name of the task that the scene ran, e.g. ``reach``; empty where the bag has no task state.
        state: Measured joints.
        command: What was really sent.
        objects: Objects of the task; without any if the bag has no task state.
    """

    info: BagInfo
    task: str
    state: StateSeries
    command: CommandSeries
    objects: ObjectSeries


def read_recording(path: Path, layout: JointLayout) -> Recording:
    """Read what a dataset needs of one bag, without its pictures.

    Raises:
        DataError: The bag is damaged, lacks a stream, or is of a robot with other joints.
    """
    return recording_of(read_raw(path, lambda topic, _: topic_name(topic)), layout)


def topic_name(topic: str, names: Sequence[str] = TOPICS) -> str | None:
    """Return which of some streams a bag's topic is, under any namespace, or None."""
    return next((name for name in names if topic.strip("/") == name or topic.endswith(f"/{name}")), None)


def recording_of(bag: RawBag, layout: JointLayout) -> Recording:
    """Return the numbers of a bag.

    Raises:
        DataError: A message is damaged, a stream is missing, or the robot has other joints.
    """
    tasks = bag.decoded("task/state") if "task/state" in bag.streams else None
    return Recording(
        info=bag.info,
        task=str(tasks.messages[-1].task) if tasks else "",
        state=state_series(bag, layout),
        command=command_series(bag, "command", layout),
        objects=object_series(tasks),
    )


def state_series(bag: RawBag, layout: JointLayout) -> StateSeries:
    """Return the measured joints of a bag in layout order, put together where several publishers told of them.

    Raises:
        DataError: A message is damaged, the stream is missing, or the robot has other joints.
    """
    if "joint_states" not in bag.streams:
        raise missing_stream(bag.info, "joint_states")
    raw = bag.streams["joint_states"]
    table = read_joints(raw.data, raw.kind) if raw.kind in FIELDS else None
    order = layout.order_of(table.names) if table is not None else None
    if table is None or order is None or "velocity" not in number_slices(bytes(raw.data[0]), raw.kind):
        return _put_together(bag, layout)
    return StateSeries(table.stamp, **{name: table.numbers[name][:, order] for name in ("position", "velocity", "effort")})


def _put_together(bag: RawBag, layout: JointLayout) -> StateSeries:
    """Return joint states that come in parts or without velocities, as the safety filter saw them, once all joints were heard."""
    stream, joints, states = bag.decoded("joint_states"), JointStates(layout), []
    for i, (message, stamp) in enumerate(zip(stream.messages, stream.stamp.tolist(), strict=True)):
        before = joints.state
        if joints.hear(list(message.name), message.position, message.velocity, message.effort, stamp):
            what = f"message {i} on {stream.topic} has a field of another length than its names, or one of these twice"
            raise DataError(what, where=str(bag.info.path))
        if joints.state is not None and joints.state is not before and not joints.missing:
            states.append(joints.state)
    if joints.missing:
        what = f"{stream.topic} lacks joints of the robot: {_some(joints.missing)}; it has {_some(stream.messages[-1].name)}"
        raise DataError(what, where=str(bag.info.path), fix="name the robot that was recorded with --robot")
    rows = {name: np.array([getattr(state, name) for state in states]) for name in ("position", "velocity", "effort")}
    return StateSeries(np.array([state.stamp for state in states], dtype=np.int64), **rows)


def command_series(bag: RawBag, topic: str, layout: JointLayout) -> CommandSeries:
    """Return the joint commands on a topic (``command`` or ``target``) in layout order.

    Raises:
        DataError: As `state_series`.
    """
    command = _joints(bag, topic, layout)
    numbers = {name: command.numbers[name] for name in FIELDS["kata_msgs/msg/JointCommand"]}
    return CommandSeries(command.stamp, bag.streams[topic].received, **numbers)


def _joints(bag: RawBag, name: str, layout: JointLayout) -> JointTable:
    """Return a stream of joint messages in layout order: all at once where they are alike, else one by one."""
    if name not in bag.streams:
        raise missing_stream(bag.info, name)
    raw = bag.streams[name]
    table = read_joints(raw.data, raw.kind) if raw.kind in FIELDS else None
    if table is not None:
        order = _order(name, table.names, layout, bag.info.path)
        return JointTable(layout.names, table.stamp, {field: values[:, order] for field, values in table.numbers.items()})
    stream = bag.decoded(name)
    names_of = "name" if raw.kind.endswith("JointState") else "names"
    order = _same_order(stream, names_of, layout, bag.info.path)
    fields = FIELDS.get(raw.kind, ("position", "velocity", "effort"))
    return JointTable(layout.names, stream.stamp, {field: _rows(stream, field, order, bag.info.path) for field in fields})


def _same_order(stream: Stream, names_of: str, layout: JointLayout, path: Path) -> list[int]:
    """Return the order of a stream's joints; a message that names others would put numbers on the wrong joints."""
    first = list(getattr(stream.messages[0], names_of))
    for i, message in enumerate(stream.messages):
        if list(getattr(message, names_of)) != first:
            what = f"message {i} on {stream.topic} names other joints, or in another order, than the first"
            raise DataError(what, where=str(path), fix="leave this bag out")
    return _order(stream.topic, first, layout, path)


def _order(topic: str, names: Sequence[str], layout: JointLayout, path: Path) -> list[int]:
    order = layout.order_of(names)
    if order is None:
        missing = sorted(set(layout.names) - set(names))
        what = f"{topic} lacks joints of the robot: {_some(missing)}; it has {_some(names)}"
        raise DataError(what, where=str(path), fix="name the robot that was recorded with --robot")
    return order


def _some(names: Sequence[str]) -> str:
    return f"{', '.join(names[:3])}{' …' if len(names) > 3 else ''}"


def _rows(stream: Stream, field: str, order: list[int], path: Path) -> FloatArray:
    """Stack one field of all messages; a field may be left empty (as sensor_msgs/JointState allows) and is then zero."""
    width = max(order) + 1
    rows = [_row(message, field, width, order) for message in stream.messages]
    if any(row is None for row in rows):
        at = next(i for i, row in enumerate(rows) if row is None)
        raise DataError(f"message {at} on {stream.topic} has a {field} of another length than its names", where=str(path))
    return np.array(rows, dtype=float)


def _row(message: Any, field: str, width: int, order: list[int]) -> FloatArray | None:
    values = np.asarray(getattr(message, field), dtype=float)
    if not len(values):
        return np.zeros(len(order))
    return values[order] if len(values) >= width else None


def object_series(tasks: Stream | None) -> ObjectSeries:
    """Return the task's objects in its stream of states; empty if there is none."""
    return _objects(tasks) if tasks else ObjectSeries(np.zeros(0, dtype=np.int64), {})


def _objects(stream: Stream) -> ObjectSeries:
    names = [body.name for body in stream.messages[0].objects]
    pose = {name: np.full((len(stream), 7), np.nan) for name in names}
    for i, message in enumerate(stream.messages):
        for body in message.objects:
            if body.name in pose:
                place, turn = body.pose.position, body.pose.orientation
                pose[body.name][i] = (place.x, place.y, place.z, turn.x, turn.y, turn.z, turn.w)
    return ObjectSeries(stream.stamp, pose)
