# SPDX-License-Identifier: Apache-2.0
"""Which topics are recorded of a robot, how often each should come, and in which form it is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from kata_model.config.config_path import find_config
from kata_model.config.yaml_data import load_yaml
from kata_model.errors import ConfigError
from kata_model.robot.description import load_description

__all__ = ["Store", "StreamSpec", "load_streams", "parse_pairs", "parse_streams"]

_IMAGE = "sensor_msgs/msg/Image"


class Store(StrEnum):
    """How a raw picture is kept; everything else is kept as it came."""

    RAW = "raw"
    JPEG = "jpeg"
    PNG = "png"


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """A topic to record.

    Attributes:
        topic: Relative name, e.g. ``joint_states``.
        type: Such as ``sensor_msgs/msg/JointState``.
        rate: Expected rate [Hz]; 0 where messages are events.
        store: Form in which pictures are kept: JPEG for colour, PNG (lossless) for depth, or raw.
    """

    topic: str
    type: str
    rate: float = 0.0
    store: Store = Store.RAW

    @property
    def compressed(self) -> bool:
        """Whether the recorder encodes the pictures of this stream."""
        return self.type == _IMAGE and self.store is not Store.RAW


def load_streams(robot: str) -> tuple[StreamSpec, ...]:
    """Return the streams of a robot: ``recording.yaml`` in its folder, else the one in ``config/``.

    Raises:
        ConfigError: The file is missing or wrong.
        RobotError: No such robot.
    """
    own = load_description(robot).folder / "recording.yaml" if robot else Path()
    return parse_streams(own if own.is_file() else find_config("recording.yaml"))


def parse_streams(file: Path) -> tuple[StreamSpec, ...]:
    """Read a file with one mapping ``streams``: by topic, type, rate [Hz] and store.

    Raises:
        ConfigError: The file cannot be read, or an entry is unknown or of the wrong kind.
    """
    try:
        content = load_yaml(file.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot be read: {' '.join(str(error).split())}", where=str(file)) from error
    entries = content.get("streams") if isinstance(content, dict) else None
    if not isinstance(entries, dict) or not entries:
        raise ConfigError("names no streams", where=str(file), fix="streams: {joint_states: {type: …, rate: …}}")
    return tuple(_spec(str(topic), entry, str(file)) for topic, entry in entries.items())


def _spec(topic: str, entry: Any, where: str) -> StreamSpec:
    if not isinstance(entry, dict) or not {"type"} <= entry.keys() <= {"type", "rate", "store"}:
        raise ConfigError(f"{topic}: {entry!r}", where=where, fix="type, and if wanted rate [Hz] and store")
    rate, store = entry.get("rate", 0.0), str(entry.get("store", Store.RAW))
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0.0 <= rate <= 1e5:
        raise ConfigError(f"{topic}: rate is {rate!r}", where=where, fix="allowed: 0 to 100000 Hz")
    if store not in list(Store) or (store != Store.RAW and entry["type"] != _IMAGE):
        raise ConfigError(f"{topic}: store is {store!r}", where=where, fix=f"raw; for {_IMAGE} also jpeg or png")
    return StreamSpec(topic, str(entry["type"]), float(rate), Store(store))


def parse_pairs(entries: Sequence[str]) -> tuple[StreamSpec, ...]:
    """Return streams of parameters: topic and type, joined by a space, and if wanted rate and store.

    Raises:
        ConfigError: An entry is of another form.
    """
    return tuple(_from_words(entry) for entry in entries)


def _from_words(entry: str) -> StreamSpec:
    words = entry.split()
    if not 2 <= len(words) <= 4:
        raise ConfigError(f"stream {entry!r}", fix="TOPIC TYPE [RATE [STORE]], e.g. imu sensor_msgs/msg/Imu 200")
    try:
        rate: Any = float(words[2]) if len(words) > 2 else 0.0
    except ValueError:
        rate = words[2]
    return _spec(
        words[0], {"type": words[1], "rate": rate, "store": words[3] if len(words) > 3 else Store.RAW}, "parameter topics"
    )
