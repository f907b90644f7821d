# SPDX-License-Identifier: Apache-2.0
"""Read one episode of a bag: its streams as arrays on one time axis, joints in the robot's order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kata_data.bags.bag_info import BagInfo
from kata_data.bags.cdr import picture_data
from kata_data.bags.reader import Bag, Stream, nanoseconds, read_bag
from kata_data.episodes.series import CommandSeries, ObjectSeries, StateSeries, command_series, object_series, state_series
from kata_model.arrays import FloatArray
from kata_model.joints import JointLayout

__all__ = ["NUMBERS", "TOPICS", "BodySeries", "Episode", "Picture", "VerdictSeries", "episode_of", "read_episode"]

CAMERA = "camera/head/image_raw/compressed"
NUMBERS = ("joint_states", "command", "task/state")
"""The streams that the numbers of a dataset are made of."""

TOPICS = (*NUMBERS, "target", "verdict", "frames", CAMERA)
"""All that an episode knows."""


@dataclass(frozen=True, slots=True)
class VerdictSeries:
    """What the safety filter decided, tick by tick.

    Attributes:
        source: When the sample that was considered was measured, shape (V,), [ns]; 0 if none.
        target: When its target was received, shape (V,), [ns]; 0 if none.
        state: When the joint state considered was measured, shape (V,), [ns]; 0 if none.
        decided: When the command was decided, shape (V,), [ns].
        received: When the recorder got the verdict, shape (V,), [ns].
        status: As in kata_model.verdict.Status, shape (V,).
        reasons: Names by tick.
        flags: JointFlag bits, shape (V, n), layout order.
        lost: Verdicts that were published just before each, but are not in the bag, shape (V,).
        states: What the filter remembered after each, a kata_msgs/FilterState or None; empty if the bag tells of none.
    """

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    state: NDArray[np.int64]
    decided: NDArray[np.int64]
    received: NDArray[np.int64]
    status: NDArray[np.uint8]
    reasons: tuple[tuple[str, ...], ...]
    flags: NDArray[np.uint8]
    lost: NDArray[np.int64]
    states: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class BodySeries:
    """Human bodies; all samples have the same bodies.

    Attributes:
        stamp: Shape (F,), [ns].
        engaged: Shape (F,).
        position: By body, shape (F, 3), in the source's world [m].
        orientation_xyzw: By body, shape (F, 4), body to world.
    """

    stamp: NDArray[np.int64]
    engaged: NDArray[np.bool_]
    position: Mapping[str, FloatArray]
    orientation_xyzw: Mapping[str, FloatArray]


@dataclass(frozen=True, slots=True)
class Picture:
    """One camera image.

    Attributes:
        stamp: [ns].
        jpeg: The image as it was recorded.
    """

    stamp: int
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Episode:
    """One episode; streams that the bag lacks, or that were not asked for, are None or empty.

    Attributes:
        info: What the bag says of itself.
        task: Name of the task that the scene ran, e.g. ``reach``; empty where the bag has no task state.
        start: First joint state [ns]; time 0 of all charts.
        state: Measured joints.
        target: What someone wanted.
        command: What was sent.
        verdict: Why they differ.
        objects: Objects of the task.
        succeeded: When the task's criterion first held, in [s] since start; None if never.
        human: Bodies of the human.
        pictures: Of the head camera.
    """

    info: BagInfo
    task: str
    start: int
    state: StateSeries
    target: CommandSeries | None
    command: CommandSeries | None
    verdict: VerdictSeries | None
    objects: ObjectSeries
    succeeded: float | None
    human: BodySeries | None
    pictures: tuple[Picture, ...]

    def seconds(self, stamp: NDArray[np.int64]) -> FloatArray:
        """Return stamps in [s] since the start."""
        return np.asarray((stamp - self.start) * 1e-9, dtype=float)

    @property
    def duration(self) -> float:
        """Return the time from the first to the last joint state [s]."""
        return float(self.state.stamp[-1] - self.start) * 1e-9


def read_episode(path: Path, layout: JointLayout, topics: Sequence[str] = TOPICS) -> Episode:
    """Read an episode, or some of its `TOPICS`.

    Raises:
        DataError: The bag is damaged, has no joint states, or is of another robot.
    """
    return episode_of(read_bag(path, topics), layout)


def episode_of(bag: Bag, layout: JointLayout, topics: Sequence[str] = TOPICS) -> Episode:
    """Return the episode of a bag that was read already, or some of its `TOPICS`.

    Raises:
        DataError: As `read_episode`.
    """
    state = state_series(bag.stream("joint_states"), layout)
    start, found = int(state.stamp[0]), {name: bag.streams.get(name) for name in topics}
    target, command, verdict, frames, tasks = map(found.get, ("target", "command", "verdict", "frames", "task/state"))
    return Episode(
        info=bag.info,
        task=str(tasks.messages[-1].task) if tasks else "",
        start=start,
        state=state,
        target=command_series(target, layout) if target else None,
        command=command_series(command, layout) if command else None,
        verdict=_verdicts(verdict, layout) if verdict else None,
        objects=object_series(tasks),
        succeeded=_success(tasks, start) if tasks else None,
        human=_bodies(frames) if frames else None,
        pictures=_pictures(found.get(CAMERA)),
    )


def _verdicts(stream: Stream, layout: JointLayout) -> VerdictSeries:
    order = layout.order_of(stream.messages[0].names) or list(range(len(layout)))
    width = len(stream.messages[0].names)
    flags = [m.joint_flags if len(m.joint_flags) == width else np.zeros(width) for m in stream.messages]
    times = {
        name: np.array([nanoseconds(getattr(m, f"{name}_stamp")) for m in stream.messages], dtype=np.int64)
        for name in ("source", "target", "state", "command")
    }
    told = order == list(range(len(layout)))  # else its joints were others, or in another order
    states = tuple(next(iter(getattr(m, "state", ())), None) if told else None for m in stream.messages)
    return VerdictSeries(
        source=times["source"],
        target=times["target"],
        state=times["state"],
        decided=times["command"],
        received=stream.received,
        status=np.array([m.status for m in stream.messages], dtype=np.uint8),
        reasons=tuple(tuple(m.reasons) for m in stream.messages),
        flags=np.array(flags, dtype=np.uint8)[:, order],
        lost=np.maximum(np.diff(stream.sequence, prepend=stream.sequence[0]) - 1, 0),
        states=states if any(states) else (),
    )


def _success(stream: Stream, start: int) -> float | None:
    held = [int(t) for t, message in zip(stream.stamp, stream.messages, strict=True) if message.success]
    return (held[0] - start) * 1e-9 if held else None


def _bodies(stream: Stream) -> BodySeries:
    names = [body.name for body in stream.messages[0].bodies]
    whole = [i for i, m in enumerate(stream.messages) if [body.name for body in m.bodies] == names]
    poses = [[body.pose for body in stream.messages[i].bodies] for i in whole]
    place = np.array([[(p.position.x, p.position.y, p.position.z) for p in row] for row in poses])
    turn = np.array([[(p.orientation.x, p.orientation.y, p.orientation.z, p.orientation.w) for p in row] for row in poses])
    return BodySeries(
        stamp=stream.stamp[whole],
        engaged=np.array([stream.messages[i].engaged for i in whole], dtype=bool),
        position={name: place[:, i] for i, name in enumerate(names)},
        orientation_xyzw={name: turn[:, i] for i, name in enumerate(names)},
    )


def _pictures(stream: Stream | None) -> tuple[Picture, ...]:
    if stream is None:
        return ()
    data = (picture_data(stream.data[i]) or stream.message(i).data for i in range(len(stream)))
    return tuple(Picture(int(t), bytes(jpeg)) for t, jpeg in zip(stream.stamp, data, strict=True))
