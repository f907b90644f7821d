# SPDX-License-Identifier: Apache-2.0
"""One bag → its streams on one clock: at each instant the newest past sample of every stream."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kata_data.bags.bag_info import BagInfo, missing_stream
from kata_data.bags.reader import Bag, read_bag, topic_name
from kata_data.building.align import grid, match_past
from kata_data.building.build_config import DatasetConfig
from kata_data.building.cameras import PREFIX, camera_name, cameras_of, read_pictures
from kata_data.building.wrenches import PREFIX as FELT
from kata_data.building.wrenches import feel, sensor_name
from kata_data.dataset.frames import write_frames
from kata_data.dataset.manifest import FrameFile
from kata_data.episodes.episode import NUMBERS, Episode, episode_of
from kata_data.episodes.segments import HUMAN, intervened
from kata_data.episodes.series import CommandSeries
from kata_model.arrays import FloatArray
from kata_model.errors import DataError
from kata_model.joints import JointLayout

__all__ = ["Aligned", "FrameTrack", "Request", "read_aligned"]


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted of every bag.

    Attributes:
        config: How to align.
        cameras: Names of cameras; None for all.
        folder: The dataset's folder, where pictures go; None for none.
        sensors: Names of force and torque sensors.
    """

    config: DatasetConfig
    cameras: tuple[str, ...] | None
    folder: Path | None
    sensors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FrameTrack:
    """A camera on the common clock.

    Attributes:
        file: Its pictures.
        shape: Of one picture (height, width, 3).
        index: Picture of each instant, shape (G,); 0 where there is none.
        stamp: When it was taken, shape (G,), [ns].
    """

    file: FrameFile
    shape: tuple[int, ...]
    index: NDArray[np.int32]
    stamp: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Aligned:
    """One episode on a clock of G instants; a row without a sample holds any other sample.

    Attributes:
        info: What the bag says of itself.
        task: Name of the task that ran.
        state_rate: Measured rate of the joint states [Hz].
        at: The instants, shape (G,), [ns].
        missing: By stream, whether the instant has no sample, shape (G,).
        state_stamp: Shape (G,), [ns].
        position: Measured, shape (G, n), [rad], layout order.
        velocity: Likewise [rad/s].
        effort: Likewise [N·m].
        command: Sent, shape (G, n), [rad].
        stiffness: Sent, shape (G, n), [N·m/rad].
        damping: Sent, shape (G, n), [N·m·s/rad].
        span: By how much each joint's command ranges over the episode, shape (n,), [rad].
        objects: By name, position [m] and xyzw quaternion in the base's frame, shape (G, 7).
        wrenches: By sensor, force and torque in its frame, shape (G, 6), [N] and [N·m].
        intervention: Whether a human acted in the policy's place, shape (G,).
        frames: By camera.
    """

    info: BagInfo
    task: str
    state_rate: float
    at: NDArray[np.int64]
    missing: Mapping[str, NDArray[np.bool_]]
    state_stamp: NDArray[np.int64]
    position: FloatArray
    velocity: FloatArray
    effort: FloatArray
    command: FloatArray
    stiffness: FloatArray
    damping: FloatArray
    span: FloatArray
    objects: Mapping[str, FloatArray]
    wrenches: Mapping[str, FloatArray]
    intervention: NDArray[np.bool_]
    frames: Mapping[str, FrameTrack]


def read_aligned(path: Path, layout: JointLayout, request: Request) -> Aligned:
    """Read a bag, put its streams on one clock, and write its pictures.

    Raises:
        DataError: The bag is damaged, lacks a stream, a camera or a sensor, or is of another robot.
        OSError: The disk refuses.
    """
    bag = read_bag(path, lambda topic, kind: topic_name(topic, (*NUMBERS, *HUMAN)) or _wanted(topic, kind, request))
    episode = episode_of(bag, layout, NUMBERS)
    state, command = episode.state, episode.command
    if command is None:
        raise missing_stream(bag.info, "command")
    if not len(state.stamp) or not np.isfinite(command.position).any():
        raise DataError("holds no joint states or commands", where=str(path), fix="leave this bag out")
    at = grid(int(state.stamp.min()), int(state.stamp.max()), request.config.rate)
    tolerance = round(request.config.tolerance * 1e9)
    numbers, missing = _numbers(episode, command, at, tolerance)
    wrenches, unfelt = feel(bag, request.sensors, at, tolerance)
    missing |= unfelt
    frames = {} if request.folder is None else _frames(bag, at, request, request.folder, missing)
    return Aligned(
        info=bag.info,
        task=episode.task or bag.info.task,
        state_rate=_rate(state.stamp),
        at=at,
        missing=missing,
        intervention=intervened(bag, bag.streams["joint_states"].received[match_past(state.stamp, at, 1 << 62)]),
        span=np.nanmax(command.position, axis=0) - np.nanmin(command.position, axis=0),
        frames=frames,
        wrenches=wrenches,
        **numbers,
    )


def _wanted(topic: str, kind: str, request: Request) -> str | None:
    """Return the stream name of a camera or a sensor that is asked for."""
    sensor = sensor_name(topic, kind)
    if sensor is not None:
        return FELT + sensor if sensor in request.sensors else None
    name = camera_name(topic, kind)
    wanted = request.folder is not None and (request.cameras is None or name in request.cameras)
    return PREFIX + name if name and wanted else None


def _rate(stamp: NDArray[np.int64]) -> float:
    gaps = np.diff(np.unique(stamp))
    return 1e9 / float(np.median(gaps)) if len(gaps) else 0.0


def _numbers(
    episode: Episode, command: CommandSeries, at: NDArray[np.int64], tolerance: int
) -> tuple[dict[str, Any], dict[str, NDArray[np.bool_]]]:
    state, objects = episode.state, episode.objects
    s, c = match_past(state.stamp, at, tolerance), match_past(command.stamp, at, tolerance)
    o = match_past(objects.stamp, at, tolerance)
    numbers = {
        "state_stamp": state.stamp[s],
        **{name: getattr(state, name)[s] for name in ("position", "velocity", "effort")},
        "command": command.position[c],
        **{name: getattr(command, name)[c] for name in ("stiffness", "damping")},
        "objects": {name: place[o] for name, place in objects.pose.items()},
    }
    return numbers, {"joint_states": s < 0, "command": c < 0, "task/state": o < 0}


def _frames(
    bag: Bag, at: NDArray[np.int64], request: Request, folder: Path, missing: dict[str, NDArray[np.bool_]]
) -> dict[str, FrameTrack]:
    """Decode each picture that some instant shows, once, and write them; note in `missing` where there is none."""
    names = cameras_of(bag)
    for camera in request.cameras or ():
        if camera not in names:
            raise DataError(f"has no camera {camera!r}", where=str(bag.info.path), fix=f"it has: {', '.join(names) or 'none'}")
    return {camera: _track(bag, camera, at, request.config, folder, missing) for camera in names}


def _track(
    bag: Bag, camera: str, at: NDArray[np.int64], config: DatasetConfig, folder: Path, missing: dict[str, NDArray[np.bool_]]
) -> FrameTrack:
    stamp = bag.streams[PREFIX + camera].stamp
    match = match_past(stamp, at, round(config.image_tolerance * 1e9))
    missing[PREFIX + camera] = match < 0
    needed = ~np.any([missing[name] for name in ("joint_states", "command", PREFIX + camera)], axis=0)
    rows = np.unique(match[needed])
    pictures = read_pictures(bag, camera, rows.tolist(), config.image_height)
    file, shape = write_frames(pictures, len(rows), folder)
    index = np.searchsorted(rows, np.where(needed, match, rows[0] if len(rows) else 0))
    return FrameTrack(file, shape, index.astype(np.int32), stamp[match])
