# SPDX-License-Identifier: Apache-2.0
"""Bags on a disk: where they are, what ``metadata.yaml`` says of each, and the errors of those that are damaged."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from kata_model.errors import DataError

__all__ = ["BagInfo", "check_count", "find_bags", "missing_stream", "one_line", "read_info", "unreadable"]

_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's is ten times faster, where PyYAML was built with it."""

_CUT = "the file was cut or damaged: try kata bag repair, or leave this bag out"


@dataclass(frozen=True, slots=True)
class BagInfo:
    """What a bag says of itself, read without opening its messages.

    Attributes:
        path: Folder of the bag.
        custom: ``custom_data`` of metadata.yaml.
        duration: From the first to the last message received [s].
        messages: Number of messages by topic.
        types: Message type by topic, e.g. ``sensor_msgs/msg/JointState``.
        compression: By which rosbag2 packed whole files or single messages; empty where chunks are packed, as Kata's are.
    """

    path: Path
    custom: Mapping[str, str]
    duration: float
    messages: Mapping[str, int]
    types: Mapping[str, str] = field(default_factory=dict)
    compression: str = ""

    @property
    def task(self) -> str:
        """Return the task text, or an empty one."""
        return self.custom.get("task", "")

    @property
    def success(self) -> bool:
        """Return whether the episode was saved as a success; an unlabelled one was not."""
        return self.custom.get("task_success", "").lower() in ("true", "1", "yes")

    @property
    def robot(self) -> str:
        """Return the robot's name, or an empty one."""
        return self.custom.get("robot", "")


def missing_stream(info: BagInfo, name: str) -> DataError:
    """Return the error of a bag without messages on a topic; it says what the bag has."""
    has = ", ".join(sorted(topic for topic, count in info.messages.items() if count))
    return DataError(f"no messages on {name}", where=str(info.path), fix=f"the bag has: {has or 'nothing'}")


def find_bags(paths: Iterable[Path]) -> list[Path]:
    """Return bag folders, sorted: each path is a bag or a folder that holds bags at any depth.

    Hidden folders are left out: the recorder writes to one before an episode is saved.

    Raises:
        DataError: A path does not exist, or holds no bag.
    """
    found: set[Path] = set()
    for path in paths:
        if not path.is_dir():
            raise DataError("no such folder", where=str(path), fix="name bags, or a folder that holds bags")
        bags = [file.parent for file in path.rglob("metadata.yaml")]
        bags = [bag for bag in bags if not any(part.startswith(".") for part in bag.relative_to(path).parts)]
        if not bags:
            raise DataError("holds no bag", where=str(path), fix="a bag is a folder with metadata.yaml and an .mcap file")
        found.update(bags)
    return sorted(found)


def read_info(path: Path) -> BagInfo:
    """Read what a bag says of itself.

    Raises:
        DataError: metadata.yaml is missing or unusable.
    """
    file = path / "metadata.yaml"
    try:
        about = yaml.load(file.read_text(), _YAML)["rosbag2_bagfile_information"]
        return BagInfo(
            path=path,
            custom={str(key): str(value) for key, value in (about.get("custom_data") or {}).items()},
            duration=about["duration"]["nanoseconds"] * 1e-9,
            messages={t["topic_metadata"]["name"]: int(t["message_count"]) for t in about["topics_with_message_count"]},
            types={t["topic_metadata"]["name"]: str(t["topic_metadata"]["type"]) for t in about["topics_with_message_count"]},
            compression=str(about.get("compression_format") or ""),
        )
    except FileNotFoundError as error:
        raise DataError(
            "no metadata.yaml: the recording was not finished", where=str(path), fix="try kata bag repair, or leave this bag out"
        ) from error
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"not a bag's metadata: {one_line(error)}", where=str(file), fix="leave this bag out") from error


def check_count(info: BagInfo, topic: str, found: int) -> None:
    """Raise DataError unless as many messages were found as the bag says it has on a topic."""
    expected = info.messages.get(topic, 0)
    if found != expected:
        what = f"holds {found} of {expected} messages on {topic}"
        raise DataError(what, where=str(info.path), fix=_CUT)


def unreadable(error: Exception, path: Path) -> DataError:
    """Return the error of a bag that broke its reader."""
    return DataError(f"unreadable: {one_line(error)}", where=str(path), fix=_CUT)


def one_line(error: Exception) -> str:
    """Return what an error says in one line."""
    return " ".join(str(error).split()) or type(error).__name__
