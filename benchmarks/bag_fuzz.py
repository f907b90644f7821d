# SPDX-License-Identifier: Apache-2.0
"""Spoil bags at random, and see that reading and repairing neither crash nor hang nor invent.

Each trial takes a sound bag of several chunks and flips bytes, cuts it, swaps blocks, writes another message's definition
into it, or spoils its metadata.yaml. Then: reading gives all messages or one clear line; repair gives a sound bag, or one
clear line; every message in it is one of the original's, bit for bit; and every message of the chunks before the first
spoilt byte is there.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from mcap.records import Channel, Chunk, Message, Schema
from mcap.stream_reader import StreamReader, get_chunk_data_stream
from mcap.writer import Writer
from rclpy.serialization import serialize_message
from tqdm import tqdm

from kata_data.bags.bag_writer import BagWriter
from kata_data.bags.definitions import BagTopic
from kata_data.bags.mcap_records import records_of
from kata_data.bags.reader import read_bag, verify_bag
from kata_data.bags.repair import find_broken, repair_bag
from kata_model import HumanFrames, JointLayout, JointState
from kata_model.errors import KataError
from kata_nodes.convert import JointConverter, frames_to
from kata_nodes.interfaces import message_type

TOPICS = ("joint_states", "frames")
PATIENCE = 20
"""Longest trial [s]."""

Row = tuple[str, int, bytes]


class Hang(BaseException):
    """A trial took too long."""


@dataclass
class Original:
    """The sound bag: its folder, and the messages by the byte at which their chunk ends."""

    folder: Path
    rows: list[tuple[int, Row]]

    @property
    def all(self) -> Counter[Row]:
        """All messages."""
        return Counter(row for _, row in self.rows)

    def before(self, byte: int) -> Counter[Row]:
        """Return the messages of chunks that end before a byte."""
        return Counter(row for end, row in self.rows if end <= byte)


def make_original(folder: Path) -> Original:
    """Record two seconds of joints and frames, ten chunks."""
    names = tuple(f"joint_{i}" for i in range(12))
    topics = [
        BagTopic("/joint_states", message_type("sensor_msgs/msg/JointState")),
        BagTopic("/frames", message_type("kata_msgs/msg/HumanFrames")),
    ]
    bag, convert, rng = BagWriter(folder, topics, {"task": "fuzz"}), JointConverter(JointLayout(names)), np.random.default_rng(0)
    upright = np.array([[0.0, 0.0, 0.0, 1.0]])
    for i in range(200):
        stamp = 10**9 + i * 10**7
        values = rng.normal(size=(3, len(names)))
        bag.write("/joint_states", bytes(serialize_message(convert.state_to(JointState(stamp, *values)))), stamp)
        frames = HumanFrames(stamp, "fuzz", True, ("head",), rng.normal(size=(1, 3)), upright, np.ones(1))
        bag.write("/frames", bytes(serialize_message(frames_to(frames))), stamp + 1)
        if i % 20 == 19:
            bag.flush()
    bag.attach("robot.urdf", "application/xml", "<robot/>", 10**9)
    return Original(bag.save({"task": "fuzz", "task_success": "true"}), _rows(folder))


def _rows(folder: Path) -> list[tuple[int, Row]]:
    rows: list[tuple[int, Row]] = []
    topics: dict[int, str] = {}
    with (folder / f"{folder.name}.mcap").open("rb") as file:
        for record in StreamReader(file, emit_chunks=True).records:
            if isinstance(record, Chunk):
                stream, length = get_chunk_data_stream(record, validate_crc=True)
                rows += [(file.tell(), row) for row in _inside(stream.read(length), topics)]
    return rows


def _inside(raw: bytes, topics: dict[int, str]) -> list[Row]:
    rows = []
    for record in records_of(raw):
        if isinstance(record, Channel):
            topics[record.id] = record.topic
        elif isinstance(record, Message):
            rows.append((topics[record.channel_id], record.log_time, bytes(record.data)))
    return rows


def flip(data: bytearray, rng: np.random.Generator) -> int:
    """Overwrite some bytes; return the first."""
    places = np.sort(rng.integers(len(data), size=int(rng.integers(1, 40))))
    for place in places:
        data[place] ^= int(rng.integers(1, 256))
    return int(places[0])


def blot(data: bytearray, rng: np.random.Generator) -> int:
    """Overwrite a stretch; return its first byte."""
    start = int(rng.integers(len(data)))
    stop = min(len(data), start + int(rng.integers(1, 4000)))
    data[start:stop] = rng.bytes(stop - start)
    return start


def cut(data: bytearray, rng: np.random.Generator) -> int:
    """Cut the end off; return where."""
    place = int(rng.integers(len(data)))
    del data[place:]
    return place


def shuffle(data: bytearray, rng: np.random.Generator) -> int:
    """Swap two blocks; return the first byte that moved."""
    size = int(rng.integers(16, len(data) // 3))
    first, second = sorted(int(x) for x in rng.integers(0, len(data) - size, size=2))
    block = bytes(data[first : first + size])
    data[first : first + size] = data[second : second + size]
    data[second : second + size] = block[: len(data) - second]
    return first


def wrong_schema(data: bytearray, rng: np.random.Generator) -> int:
    """Write the bag anew with another definition, or none, for one of its types; return 0: the first chunk has changed."""
    out = BytesIO()
    other = message_type("sensor_msgs/msg/Imu").definition.encode() if rng.random() < 0.5 else rng.bytes(200)
    victim = int(rng.integers(1, 3))
    writer = Writer(out)
    writer.start("ros2", "fuzz")
    known: set[tuple[type, int]] = set()
    for record in StreamReader(BytesIO(bytes(data))).records:
        if isinstance(record, Message):
            writer.add_message(record.channel_id, record.log_time, record.data, record.publish_time)
        elif isinstance(record, Schema | Channel) and (type(record), record.id) not in known:
            known.add((type(record), record.id))
            if isinstance(record, Schema):
                writer.register_schema(record.name, record.encoding, other if record.id == victim else record.data)
            else:
                writer.register_channel(record.topic, record.message_encoding, record.schema_id, record.metadata)
    writer.finish()
    data[:] = out.getvalue()
    return 0


MUTATIONS: tuple[Callable[[bytearray, np.random.Generator], int], ...] = (flip, blot, cut, shuffle, wrong_schema)


def spoil(original: Original, folder: Path, rng: np.random.Generator) -> tuple[str, int]:
    """Copy the bag and spoil it; return how, and the first byte of its MCAP file that is not as it was."""
    shutil.copytree(original.folder, folder)
    target = folder / "metadata.yaml" if rng.random() < 0.1 else next(folder.glob("*.mcap"))
    mutate = MUTATIONS[int(rng.integers(len(MUTATIONS) - (target.suffix == ".yaml")))]
    data = bytearray(target.read_bytes())
    first = mutate(data, rng)
    target.write_bytes(data)
    if target.suffix == ".yaml":
        return f"{mutate.__name__} metadata", sys.maxsize
    if rng.random() < 0.2:
        (folder / "metadata.yaml").unlink()
    return mutate.__name__, first


def trial(original: Original, folder: Path, rng: np.random.Generator) -> tuple[str, str]:
    """Spoil, read, repair; return the mutation, and what was wrong with the outcome (nothing, if all is well)."""
    kind, first = spoil(original, folder, rng)
    try:
        faults = _read(folder, original) + _read_quick(folder, original) + _repair(folder, original, first, kind)
    except Hang:
        faults = [f"took more than {PATIENCE} s"]
    except Exception as error:  # noqa: BLE001  whatever it is, it is what this benchmark looks for
        faults = [f"{type(error).__name__}: {error}"]
    return kind, "; ".join(faults)


def _read(folder: Path, original: Original) -> list[str]:
    try:
        bag = read_bag(folder, TOPICS)
    except KataError as error:
        return _clear(error)
    found = sum(len(stream) for stream in bag.streams.values())
    # A spoilt channel may lose its name; what is read under the right one must be whole.
    return [] if found in (len(original.rows), len(original.rows) // 2, 0) else [f"read {found} messages without a word"]


def _read_quick(folder: Path, original: Original) -> list[str]:
    """Read as `kata dataset build` does: nothing that was not recorded may come out."""
    try:
        bag = read_bag(folder, lambda topic, _: topic)
    except KataError as error:
        return _clear(error)
    found = Counter[Row]()
    for topic, stream in bag.streams.items():
        found.update((topic, time, data) for time, data in zip(stream.received.tolist(), stream.data, strict=True))
    invented = found - original.all
    return [f"{invented.total()} messages invented by the quick reader"] if invented else []


def _clear(error: KataError) -> list[str]:
    return [] if str(error).strip() and "\n" not in str(error) else [f"unclear: {error!r}"]


def _repair(folder: Path, original: Original, first: int, kind: str) -> list[str]:
    faults: list[str] = []
    for broken in find_broken([folder]):
        try:
            result = repair_bag(broken)
        except KataError as error:
            return _clear(error) + ([f"nothing kept: {error}"] if original.before(first) else [])
        if result.folder is not None:
            verify_bag(result.folder)
        kept = Counter(row for _, row in _rows(folder)) if result.folder else Counter()
        invented, missing = kept - original.all, original.before(first) - kept
        faults += [f"{invented.total()} messages invented"] if invented else []
        faults += [f"{missing.total()} messages before the damage are gone"] if missing else []
        if kind == "wrong_schema" and kept.total() != len(original.rows) // 2:
            faults.append(f"{kept.total()} messages kept of a bag with one wrong definition")
    return faults


def main() -> None:
    """Run the trials, print a table, write JSON; 1 if any outcome was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bags", type=int, default=1000, help="number of trials (default 1000)")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything random (default 0)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write {name: number} here")
    args = parser.parse_args()
    signal.signal(signal.SIGALRM, _ring)
    rng, done, faults = np.random.default_rng(args.seed), Counter[str](), list[str]()
    with tempfile.TemporaryDirectory(prefix="kata_fuzz_") as place:
        original = make_original(Path(place) / "original" / "episode_0000")
        for i in tqdm(range(args.bags), disable=None):
            folder = Path(place) / f"trial_{i}" / "episode_0000"
            signal.alarm(PATIENCE)
            kind, fault = trial(original, folder, rng)
            signal.alarm(0)
            shutil.rmtree(folder.parent)
            done[kind] += 1
            if fault:
                faults.append(f"trial {i} ({kind}): {fault}")
    print("\n".join([f"{kind:<22}{count:6d}" for kind, count in sorted(done.items())]))
    print("\n".join(faults[:20] or ["no crash, no hang, nothing invented, nothing before the damage lost"]))
    if args.json:
        args.json.write_text(json.dumps({"bags": args.bags, "faults": len(faults)}, indent=2) + "\n")
    sys.exit(1 if faults else 0)


def _ring(number: int, frame: object) -> None:
    raise Hang


if __name__ == "__main__":
    main()
