# SPDX-License-Identifier: Apache-2.0
"""Complete recordings that were cut, and save what is whole of damaged ones."""

import fcntl
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import yaml
from mcap.records import Channel, Schema
from mcap.writer import CompressionType, Writer

from kata_data.bags.bag_info import read_info
from kata_data.bags.mcap_salvage import Salvage
from kata_data.bags.reader import verify_bag
from kata_data.bags.schemas import misfit
from kata_data.recording import PARTIAL, TopicSummary, metadata_text, sealed
from kata_model.errors import DataError

__all__ = ["DAMAGED", "Repaired", "find_broken", "repair_bag"]

DAMAGED = ".damaged-"
"""Prefix of folders that were repaired: what they held is kept."""

_STALE = ".repair-"
_CHUNK = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Repaired:
    """What came of a repair.

    Attributes:
        source: The folder that was broken.
        folder: The whole bag, or None if there was nothing to save.
        messages: Messages saved.
        seconds: From the first to the last of them [s].
        damage: What was passed over, in words.
    """

    source: Path
    folder: Path | None
    messages: int
    seconds: float
    damage: tuple[str, ...]

    def __str__(self) -> str:
        """Say it in one line."""
        notes = f" ({'; '.join(self.damage[:3])}{' …' if len(self.damage) > 3 else ''})" if self.damage else ""
        if self.folder is None:
            return f"{self.source}: nothing to save{notes}; delete it when you like"
        return f"{self.source} -> {self.folder}: {self.messages} messages, {self.seconds:.1f} s{notes}"


def find_broken(paths: Iterable[Path]) -> list[Path]:
    """Return the folders under these paths that were cut or are damaged; a path may be such a folder itself.

    Raises:
        DataError: A path does not exist.
    """
    found: set[Path] = set()
    for path in paths:
        if not path.is_dir():
            raise DataError("no such folder", where=str(path), fix="name a bag, or a folder of bags")
        folders = {file.parent for file in path.rglob("*.mcap")}
        found |= {folder for folder in folders if _may_be_repaired(folder) and _is_broken(folder)}
        found |= {folder for folder in path.glob(f"**/{PARTIAL}*") if folder.is_dir()}
    return sorted(found)


def _may_be_repaired(folder: Path) -> bool:
    return not folder.name.startswith((DAMAGED, _STALE))


def _is_broken(folder: Path) -> bool:
    if folder.name.startswith(PARTIAL):
        return True
    try:
        verify_bag(folder)
    except DataError:
        return True
    return False


def repair_bag(source: Path) -> Repaired:
    """Write a whole bag of what is whole of a broken one.

    An unfinished recording becomes an episode beside it and disappears; a damaged bag is kept under a hidden name.

    Raises:
        DataError: The recording still runs, there is no file, or the disk refuses.
    """
    file = _file_of(source)
    with _locked(file):
        salvage = Salvage(file)
        target = _target(source)
        partial = target.with_name(f"{_STALE}{target.name}-{os.getpid()}")
        try:
            partial.mkdir()
            result = _write(salvage, source, partial / f"{target.name}.mcap")
            if result.messages:
                _replace(source, partial, target)
        except OSError as error:
            raise DataError(f"cannot be repaired: {error.strerror or error}", where=str(source)) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return Repaired(source, target if result.messages else None, result.messages, result.seconds, result.damage)


def _file_of(source: Path) -> Path:
    files = sorted(source.glob("*.mcap"))
    if len(files) != 1:
        what = "holds no .mcap file" if not files else f"holds {len(files)} .mcap files, one is expected"
        raise DataError(what, where=str(source), fix="nothing here can be repaired")
    return files[0]


@contextmanager
def _locked(file: Path) -> Iterator[BinaryIO]:
    """Hold the file as a recorder does while it writes.

    Raises:
        DataError: A recorder holds it.
    """
    try:
        with file.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield handle
    except BlockingIOError as error:
        raise DataError("is being recorded", where=str(file.parent), fix="save or discard the episode first") from error
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", where=str(file)) from error


def _target(source: Path) -> Path:
    """Return the folder of the repaired bag: the source's own name, or where that is taken the next number."""
    if not source.name.startswith(PARTIAL):
        return source
    wanted = source.with_name(source.name.removeprefix(PARTIAL).split("-")[0])
    if not wanted.exists():
        return wanted
    numbers = [int(p.name[8:]) for p in source.parent.glob("episode_*") if p.name[8:].isdigit()]
    return source.with_name(f"episode_{max(numbers, default=-1) + 1:04d}")


def _replace(source: Path, partial: Path, target: Path) -> None:
    if source == target:
        kept = source.with_name(f"{DAMAGED}{source.name}")
        source.rename(kept if not kept.exists() else kept.with_name(f"{kept.name}-{os.getpid()}"))
        partial.rename(target)
    else:
        partial.rename(target)
        shutil.rmtree(source)


def _write(salvage: Salvage, source: Path, file: Path) -> Repaired:
    """Copy what is whole, and describe it."""
    topics = _sound_channels(salvage)
    counts: Counter[int] = Counter()
    first = last = 0
    with file.open("wb") as stream:
        writer = Writer(stream, _CHUNK, CompressionType.ZSTD, enable_data_crcs=True)
        writer.start(profile="ros2", library="kata bag repair")
        numbers = _copy_heads(salvage, topics, writer)
        for message in salvage.messages():
            if message.channel_id not in numbers:
                continue
            new = numbers[message.channel_id]
            writer.add_message(new, message.log_time, message.data, message.publish_time, message.sequence)
            first = min(first, message.log_time) if counts else message.log_time
            last = max(last, message.log_time)
            counts[message.channel_id] += 1
        custom = _metadata(salvage, source)
        writer.add_metadata("episode", sealed(custom))
        writer.finish()
        stream.flush()
        os.fsync(stream.fileno())
    summaries = [_summary(salvage, channel, counts[channel.id]) for channel in topics]
    text = metadata_text(file.name, summaries, (first, last), custom, os.environ.get("ROS_DISTRO", "jazzy"))
    (file.parent / "metadata.yaml").write_text(text, encoding="utf-8")
    return Repaired(source, file.parent, counts.total(), (last - first) * 1e-9, tuple(salvage.damage))


def _sound_channels(salvage: Salvage) -> list[Channel]:
    """Return the channels whose messages can be read; what is wrong with others is noted."""
    sound = []
    for channel in salvage.channels.values():
        schema = salvage.schemas.get(channel.schema_id)
        wrong = _wrong(schema, channel) if schema else "its definition is lost"
        if wrong:
            salvage.damage.append(f"{channel.topic}: {wrong}")
        else:
            sound.append(channel)
    return sound


def _wrong(schema: Schema, channel: Channel) -> str:
    if schema.encoding != "ros2msg":
        return f"its definition is {schema.encoding!r}, not ros2msg"
    try:
        text = schema.data.decode()
    except UnicodeDecodeError:
        return "its definition is damaged"
    return misfit(schema.name, text, channel.metadata.get("topic_type_hash", ""))


def _copy_heads(salvage: Salvage, channels: Iterable[Channel], writer: Writer) -> dict[int, int]:
    """Write definitions, files and metadata; return the new channel numbers by the old."""
    schemas: dict[int, int] = {}
    numbers = {}
    for channel in channels:
        schema = salvage.schemas[channel.schema_id]
        if schema.id not in schemas:
            schemas[schema.id] = writer.register_schema(schema.name, schema.encoding, schema.data)
        numbers[channel.id] = writer.register_channel(
            channel.topic, channel.message_encoding, schemas[schema.id], channel.metadata
        )
    for item in salvage.attachments:
        writer.add_attachment(item.create_time, item.log_time, item.name, item.media_type, item.data)
    for name, pairs in salvage.metadata.items():
        if name != "episode":
            writer.add_metadata(name, pairs)
    return numbers


def _metadata(salvage: Salvage, source: Path) -> dict[str, str]:
    """Return what is known of the episode: from metadata.yaml, or the file itself; whether it succeeded is not invented."""
    known: Mapping[str, str] = {**salvage.metadata.get("kata", {}), **salvage.metadata.get("episode", {})}
    with suppress(DataError):
        known = {**known, **read_info(source).custom}
    return {key: value for key, value in known.items() if key != "seal"} | {"repaired": "true"}


def _summary(salvage: Salvage, channel: Channel, count: int) -> TopicSummary:
    profiles = channel.metadata.get("offered_qos_profiles", "")
    try:
        qos = yaml.safe_load(profiles) or []
    except yaml.YAMLError:
        qos = []
    sound = [entry for entry in qos if isinstance(entry, dict)] if isinstance(qos, list) else []
    kind = salvage.schemas[channel.schema_id].name
    return TopicSummary(channel.topic, kind, channel.metadata.get("topic_type_hash", ""), sound, count)
