# SPDX-License-Identifier: Apache-2.0
"""Segments of an episode: proposed from its bag, kept beside its messages as a small file that anybody may edit."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from kata_data.bags.bag_info import read_info
from kata_data.bags.reader import Bag, Stream, read_bag
from kata_data.recording import Segment, SegmentationConfig, intervention_steps, propose_segments
from kata_model.arrays import FloatArray
from kata_model.atomic import new_file
from kata_model.config.yaml_data import load_yaml
from kata_model.errors import DataError

__all__ = ["HUMAN", "SEGMENTS", "intervened", "interventions", "propose", "read_segments", "write_segments"]

SEGMENTS = "segments.yaml"
"""Name of the file in a bag's folder."""

_TOUCH = ("geometry_msgs/msg/WrenchStamped", "std_msgs/msg/Float32MultiArray")
_MARKS, _FRAMES = "episode/marks", "frames"
HUMAN = (_MARKS, _FRAMES)
"""Streams that tell when a human acts."""

_BEGIN, _END = 1, 2  # kata_msgs/EpisodeMark


def propose(path: Path, config: SegmentationConfig) -> tuple[Segment, ...]:
    """Return the parts of a bag's episode, by motion of the joints and by what wrist and skin feel.

    Raises:
        DataError: The bag is damaged, or has no joint states.
    """
    feeling = [topic.strip("/") for topic, kind in read_info(path).types.items() if kind in _TOUCH]
    bag = read_bag(path, ("joint_states", *feeling))
    joints = bag.stream("joint_states")
    time = (joints.received - joints.received[0]) * 1e-9
    speed = np.array([np.max(np.abs(m.velocity), initial=0.0) for m in joints.messages])
    contact = np.zeros(len(time))
    for topic in feeling:
        if topic in bag.streams:
            contact = np.maximum(contact, _felt(bag.stream(topic), joints.received))
    return propose_segments(time, speed, contact, config)


def _felt(stream: Stream, stamps: NDArray[np.int64]) -> FloatArray:
    """Return what a stream felt last at each stamp, against what it felt first: sensors do not begin at zero."""
    values = np.array([_strength(message) for message in stream.messages])
    latest = np.searchsorted(stream.received, stamps, side="right") - 1
    return np.where(latest >= 0, np.abs(values - values[0])[np.maximum(latest, 0)], 0.0)


def _strength(message: Any) -> float:
    if hasattr(message, "wrench"):
        force = message.wrench.force
        return float(np.linalg.norm((force.x, force.y, force.z)))
    return float(np.sum(message.data))


def write_segments(bag: Path, segments: Sequence[Segment], *, replace: bool = False) -> Path:
    """Write the segments of a bag, and return the file's path.

    Raises:
        DataError: There are segments already, or the disk refuses.
    """
    path = bag / SEGMENTS
    if path.exists() and not replace:
        raise DataError("exists already, and may have been edited", where=str(path), fix="give --replace")
    head = "# Parts of the episode, in seconds from its first joint state. Edit, split, join, rename as you like.\n"
    rows = [{"start": round(s.start, 3), "end": round(s.end, 3), "label": s.label} for s in segments]
    with new_file(path) as partial:
        partial.write_text(head + yaml.safe_dump({"segments": rows}, sort_keys=False), encoding="utf-8")
    return path


def read_segments(bag: Path) -> tuple[Segment, ...]:
    """Return the segments beside a bag, or none.

    Raises:
        DataError: The file was edited into something else.
    """
    path = bag / SEGMENTS
    if not path.exists():
        return ()
    try:
        rows = load_yaml(path.read_text(encoding="utf-8"))["segments"]
        return tuple(Segment(float(row["start"]), float(row["end"]), str(row["label"])) for row in rows)
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, DataError) as error:
        fix = "segments: [{start: 0.0, end: 1.5, label: reach}], seconds"
        raise DataError(f"not segments: {' '.join(str(error).split())}", where=str(path), fix=fix) from error


def interventions(path: Path, stamps: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say of each step of a policy's episode whether a human acted in the policy's place.

    A human acts between marks of an intervention, and while ``frames`` are engaged in an episode whose label ``source`` is
    ``policy``; in an episode that a human demonstrates nothing is an intervention.

    Args:
        path: Folder of the bag.
        stamps: Receive stamps of the steps, shape (N,), [ns], rising.

    Returns:
        Shape (N,).

    Raises:
        DataError: The bag is damaged.
    """
    return intervened(read_bag(path, HUMAN), stamps)


def intervened(bag: Bag, stamps: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say what `interventions` says of a bag that was read with the topics `HUMAN`.

    Raises:
        DataError: A message is damaged.
    """
    marked = _marked(bag, stamps)
    return marked | _engaged(bag, stamps) if bag.info.custom.get("source") == "policy" else marked


def _marked(bag: Bag, stamps: NDArray[np.int64]) -> NDArray[np.bool_]:
    if _MARKS not in bag.streams:
        return np.zeros(len(stamps), dtype=bool)
    marks = bag.streams[_MARKS]
    kinds = np.array([int(m.kind) for m in marks.messages])
    turns = np.isin(kinds, (_BEGIN, _END))
    return intervention_steps(stamps, marks.received[turns], kinds[turns] == _BEGIN)


def _engaged(bag: Bag, stamps: NDArray[np.int64]) -> NDArray[np.bool_]:
    if _FRAMES not in bag.streams:
        return np.zeros(len(stamps), dtype=bool)
    frames = bag.streams[_FRAMES]
    return intervention_steps(stamps, frames.received, np.array([bool(m.engaged) for m in frames.messages]))
