# SPDX-License-Identifier: Apache-2.0
"""The numbers of one episode: what was measured, sent and seen, in the robot's joint order."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kata_core.arrays import FloatArray
from kata_core.errors import DataError
from kata_core.joints import JointLayout
from kata_learning.bags import Bag, BagInfo, Stream, read_bag

__all__ = [
    "TOPICS",
    "CommandSeries",
    "ObjectSeries",
    "Recording",
    "StateSeries",
    "command_series",
    "object_series",
    "read_recording",
    "state_series",
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
        position: By object, shape (O, 3), in the robot's base frame [m].
    """

    stamp: NDArray[np.int64]
    position: Mapping[str, FloatArray]


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
    """Read what a dataset needs of one bag.

    Raises:
        DataError: The bag is damaged, lacks a stream, or is of a robot with other joints.
    """
    bag = read_bag(path, TOPICS)
    task = str(bag.stream("task/state").messages[-1].task) if "task/state" in bag.streams else ""
    return Recording(bag.info, task, state_series(bag, layout), command_series(bag, "command", layout), object_series(bag))


def state_series(bag: Bag, layout: JointLayout) -> StateSeries:
    """Return the measured joints of a bag in layout order."""
    stream = bag.stream("joint_states")
    order = _order(stream, [list(m.name) for m in stream.messages[:1]], layout, bag.info.path)
    fields = {name: _rows(stream, name, order, bag.info.path) for name in ("position", "velocity", "effort")}
    return StateSeries(stream.stamp, **fields)


def command_series(bag: Bag, topic: str, layout: JointLayout) -> CommandSeries:
    """Return the joint commands on a topic (``command`` or ``target``) in layout order."""
    stream = bag.stream(topic)
    order = _order(stream, [list(m.names) for m in stream.messages[:1]], layout, bag.info.path)
    names = ("position", "velocity", "effort", "stiffness", "damping")
    fields = {name: _rows(stream, name, order, bag.info.path) for name in names}
    return CommandSeries(stream.stamp, stream.received, **fields)


def _order(stream: Stream, names: list[list[str]], layout: JointLayout, path: Path) -> list[int]:
    order = layout.order_of(names[0])
    if order is None:
        missing = sorted(set(layout.names) - set(names[0]))
        what = f"{stream.topic} lacks joints of the robot: {', '.join(missing[:3])}{' …' if len(missing) > 3 else ''}"
        raise DataError(what, where=str(path), fix="name the robot that was recorded with --robot")
    return order


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


def object_series(bag: Bag) -> ObjectSeries:
    """Return the task's objects in a bag; empty if it has no task state."""
    if "task/state" not in bag.streams:
        return ObjectSeries(np.zeros(0, dtype=np.int64), {})
    stream = bag.stream("task/state")
    names = [body.name for body in stream.messages[0].objects]
    position = {name: np.full((len(stream), 3), np.nan) for name in names}
    for i, message in enumerate(stream.messages):
        for body in message.objects:
            if body.name in position:
                place = body.pose.position
                position[body.name][i] = (place.x, place.y, place.z)
    return ObjectSeries(stream.stamp, position)
