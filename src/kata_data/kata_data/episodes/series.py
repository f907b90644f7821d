# SPDX-License-Identifier: Apache-2.0
"""Streams of a bag as arrays: joint states and joint commands in the robot's order, poses of objects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kata_data.bags.cdr import FIELDS, JointTable, number_slices, read_joints
from kata_data.bags.reader import Stream
from kata_model.arrays import FloatArray
from kata_model.errors import DataError
from kata_model.joint_states import JointStates
from kata_model.joints import JointLayout

__all__ = ["CommandSeries", "ObjectSeries", "StateSeries", "command_series", "object_series", "state_series"]


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


def state_series(stream: Stream, layout: JointLayout) -> StateSeries:
    """Return measured joints in layout order, put together where several publishers told of them.

    Raises:
        DataError: A message is damaged, or the robot has other joints.
    """
    table = read_joints(stream.data, stream.kind) if stream.kind in FIELDS else None
    order = layout.order_of(table.names) if table is not None else None
    if table is None or order is None or "velocity" not in number_slices(bytes(stream.data[0]), stream.kind):
        return _put_together(stream, layout)
    return StateSeries(table.stamp, **{name: table.numbers[name][:, order] for name in ("position", "velocity", "effort")})


def _put_together(stream: Stream, layout: JointLayout) -> StateSeries:
    """Return joint states that come in parts or without velocities, as the safety filter saw them, once all joints were heard."""
    joints, states = JointStates(layout), []
    for i, (message, stamp) in enumerate(zip(stream.messages, stream.stamp.tolist(), strict=True)):
        before = joints.state
        if joints.hear(list(message.name), message.position, message.velocity, message.effort, stamp):
            what = f"message {i} on {stream.topic} has a field of another length than its names, or one of these twice"
            raise DataError(what, where=str(stream.path))
        if joints.state is not None and joints.state is not before and not joints.missing:
            states.append(joints.state)
    if joints.missing:
        what = f"{stream.topic} lacks joints of the robot: {_some(joints.missing)}; it has {_some(stream.messages[-1].name)}"
        raise DataError(what, where=str(stream.path), fix="name the robot that was recorded with --robot")
    rows = {name: np.array([getattr(state, name) for state in states]) for name in ("position", "velocity", "effort")}
    return StateSeries(np.array([state.stamp for state in states], dtype=np.int64), **rows)


def command_series(stream: Stream, layout: JointLayout) -> CommandSeries:
    """Return joint commands, or targets, in layout order.

    Raises:
        DataError: As `state_series`.
    """
    command = _joints(stream, layout)
    numbers = {name: command.numbers[name] for name in FIELDS["kata_msgs/msg/JointCommand"]}
    return CommandSeries(command.stamp, stream.received, **numbers)


def _joints(stream: Stream, layout: JointLayout) -> JointTable:
    """Return a stream of joint messages in layout order: all at once where they are alike, else one by one."""
    table = read_joints(stream.data, stream.kind) if stream.kind in FIELDS else None
    if table is not None:
        order = _order(stream, table.names, layout)
        return JointTable(layout.names, table.stamp, {field: values[:, order] for field, values in table.numbers.items()})
    names_of = "name" if stream.kind.endswith("JointState") else "names"
    order = _same_order(stream, names_of, layout)
    fields = FIELDS.get(stream.kind, ("position", "velocity", "effort"))
    return JointTable(layout.names, stream.stamp, {field: _rows(stream, field, order) for field in fields})


def _same_order(stream: Stream, names_of: str, layout: JointLayout) -> list[int]:
    """Return the order of a stream's joints; a message that names others would put numbers on the wrong joints."""
    first = list(getattr(stream.messages[0], names_of))
    for i, message in enumerate(stream.messages):
        if list(getattr(message, names_of)) != first:
            what = f"message {i} on {stream.topic} names other joints, or in another order, than the first"
            raise DataError(what, where=str(stream.path), fix="leave this bag out")
    return _order(stream, first, layout)


def _order(stream: Stream, names: Sequence[str], layout: JointLayout) -> list[int]:
    order = layout.order_of(names)
    if order is None:
        missing = sorted(set(layout.names) - set(names))
        what = f"{stream.topic} lacks joints of the robot: {_some(missing)}; it has {_some(names)}"
        raise DataError(what, where=str(stream.path), fix="name the robot that was recorded with --robot")
    return order


def _some(names: Sequence[str]) -> str:
    return f"{', '.join(names[:3])}{' …' if len(names) > 3 else ''}"


def _rows(stream: Stream, field: str, order: list[int]) -> FloatArray:
    """Stack one field of all messages; a field may be left empty (as sensor_msgs/JointState allows) and is then zero."""
    width = max(order) + 1
    rows = [_row(message, field, width, order) for message in stream.messages]
    if any(row is None for row in rows):
        at = next(i for i, row in enumerate(rows) if row is None)
        raise DataError(f"message {at} on {stream.topic} has a {field} of another length than its names", where=str(stream.path))
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
