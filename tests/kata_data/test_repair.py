# SPDX-License-Identifier: Apache-2.0
"""What is whole of a cut or damaged bag is saved, and nothing else."""

import fcntl
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from mcap.records import Chunk
from mcap.stream_reader import StreamReader
from mcap.writer import CompressionType, Writer
from rosbags.highlevel import AnyReader

from kata_data.bags.bag_info import read_info
from kata_data.bags.reader import read_bag, verify_bag
from kata_data.bags.repair import DAMAGED, find_broken, repair_bag
from kata_data.episodes.segments import interventions, propose, read_segments, write_segments
from kata_data.recording import SegmentationConfig
from kata_model.errors import DataError
from kata_report.commands import bag as command


@pytest.fixture
def chunked(make_bag):
    """Return a bag whose file has many chunks, as the recorder writes it."""

    def make(name="episode_0000", **custom):
        bag = make_bag(name, **custom)
        file = next(bag.glob("*.mcap"))
        rows = []
        with AnyReader([bag]) as reader:
            rows = [(c.topic, t, bytes(data)) for c, t, data in reader.messages()]
            heads = [(c.topic, c.msgtype, str(c.msgdef.data), c.digest) for c in reader.connections]
        with file.open("wb") as stream:
            writer = Writer(stream, 20_000, CompressionType.ZSTD)
            writer.start("ros2", "test")
            numbers = {}
            for topic, kind, text, digest in heads:
                schema = writer.register_schema(kind, "ros2msg", text.encode())
                numbers[topic] = writer.register_channel(topic, "cdr", schema, {"topic_type_hash": digest})
            for topic, stamp, data in rows:
                writer.add_message(numbers[topic], stamp, data, stamp)
            writer.finish()
        return bag

    return make


def chunk_ends(file: Path) -> list[int]:
    """Return where the chunks of a file end."""
    with file.open("rb") as stream:
        return [stream.tell() for r in StreamReader(stream, emit_chunks=True).records if isinstance(r, Chunk)]


def rows(bag: Path) -> list[tuple[str, int, bytes]]:
    with AnyReader([bag]) as reader:
        return [(c.topic, t, bytes(data)) for c, t, data in reader.messages()]


def killed(bag: Path, chunks: int) -> Path:
    """Turn a whole bag into what a recorder leaves that was killed within a chunk."""
    file = next(bag.glob("*.mcap"))
    ends = chunk_ends(file)
    data = file.read_bytes()
    partial = bag.with_name(f".partial-{bag.name}-123")
    bag.rename(partial)
    (partial / file.name).write_bytes(data[: (ends[chunks - 1] + ends[chunks]) // 2])
    (partial / "metadata.yaml").unlink()
    return partial


def test_a_killed_recording_is_completed_up_to_its_last_chunk(chunked, tmp_path):
    whole = chunked()
    expected = rows(whole)
    partial = killed(whole, 5)
    assert find_broken([tmp_path]) == [partial]
    result = repair_bag(partial)
    kept = rows(result.folder)
    assert result.folder == tmp_path / "episode_0000"
    assert kept == expected[: len(kept)]
    assert len(expected) > len(kept) == result.messages > 0
    assert not partial.exists()
    verify_bag(result.folder)
    assert read_info(result.folder).custom["repaired"] == "true"
    assert not read_info(result.folder).success, "whether it succeeded is not invented"
    assert find_broken([tmp_path]) == []


def test_a_taken_name_gives_the_next_number(chunked, tmp_path):
    partial = killed(chunked(), 3)
    chunked()
    assert repair_bag(partial).folder == tmp_path / "episode_0001"


def test_a_damaged_bag_keeps_all_other_chunks_its_facts_and_the_original(chunked, tmp_path):
    bag = chunked(task="wave")
    expected = rows(bag)
    file = next(bag.glob("*.mcap"))
    ends = chunk_ends(file)
    data = bytearray(file.read_bytes())
    data[ends[2] + 200 : ends[2] + 400] = bytes(200)
    file.write_bytes(data)
    (tmp_path / "spoilt").mkdir()
    shutil.copy(file, tmp_path / "spoilt")
    with pytest.raises(DataError, match="kata bag repair"):
        read_bag(bag, ("command",))
    result = repair_bag(bag)
    kept = rows(bag)
    assert set(kept) < set(expected)
    assert len(kept) > 0.8 * len(expected)
    assert len(result.damage) == 1
    assert (read_info(bag).task, read_info(bag).success) == ("wave", True)
    assert (tmp_path / f"{DAMAGED}{bag.name}" / file.name).read_bytes() == bytes(data)


def test_a_chunk_that_lies_there_twice_counts_once(chunked, tmp_path):
    bag = chunked()
    expected = rows(bag)
    file = next(bag.glob("*.mcap"))
    data, ends = file.read_bytes(), chunk_ends(file)
    file.write_bytes(data[: ends[3]] + data[ends[2] : ends[3]] + data[ends[3] :])
    assert find_broken([tmp_path]) == [bag]
    repair_bag(bag)
    assert rows(bag) == expected


def test_a_whole_bag_is_not_touched(chunked, tmp_path):
    bag = chunked()
    before = {p: p.stat().st_mtime_ns for p in bag.iterdir()}
    assert find_broken([tmp_path]) == []
    assert {p: p.stat().st_mtime_ns for p in bag.iterdir()} == before


def test_a_bag_without_metadata_gets_it_again(chunked, tmp_path):
    bag = chunked()
    expected = rows(bag)
    (bag / "metadata.yaml").unlink()
    assert find_broken([tmp_path]) == [bag]
    assert repair_bag(bag).messages == len(expected)
    assert rows(bag) == expected


def test_what_a_recorder_still_writes_is_left_alone(chunked):
    partial = killed(chunked(), 3)
    with next(partial.glob("*.mcap")).open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(DataError, match="is being recorded"):
            repair_bag(partial)
    assert repair_bag(partial).folder is not None


def test_where_nothing_is_whole_nothing_is_made(chunked, tmp_path):
    partial = killed(chunked(), 1)
    next(partial.glob("*.mcap")).write_bytes(b"\x89MCAP0\r\n")
    result = repair_bag(partial)
    assert result.folder is None
    assert partial.is_dir()
    assert "nothing to save" in str(result)
    assert sorted(p.name for p in tmp_path.iterdir()) == [partial.name]


def test_a_topic_with_a_wrong_definition_is_refused_and_left_out(chunked, tmp_path):
    bag = chunked()
    file = next(bag.glob("*.mcap"))
    total = len(rows(bag))
    data = []
    with AnyReader([bag]) as reader:
        verdicts = next(c.msgcount for c in reader.connections if c.topic == "/verdict")
        texts = {c.msgtype: str(c.msgdef.data) for c in reader.connections}
        data = [(c.topic, c.msgtype, c.digest, t, bytes(d)) for c, t, d in reader.messages()]
    with file.open("wb") as stream:
        writer = Writer(stream)
        writer.start("ros2", "test")
        numbers = {}
        for topic, kind, digest, stamp, row in data:
            if topic not in numbers:
                text = texts["kata_msgs/msg/JointCommand" if topic == "/verdict" else kind]
                schema = writer.register_schema(kind, "ros2msg", text.encode())
                numbers[topic] = writer.register_channel(topic, "cdr", schema, {"topic_type_hash": digest})
            writer.add_message(numbers[topic], stamp, row, stamp)
        writer.finish()
    with pytest.raises(DataError, match=r"kata_msgs/msg/Verdict.*hash mismatch"):
        read_bag(bag, ("verdict",))
    assert repair_bag(find_broken([tmp_path])[0]).messages == total - verdicts


@pytest.mark.parametrize("seed", range(20))
def test_spoilt_bags_never_crash_and_invent_nothing(chunked, tmp_path, seed):
    bag, rng = chunked(), np.random.default_rng(seed)
    expected = set(rows(bag))
    file = next(bag.glob("*.mcap"))
    data = bytearray(file.read_bytes())
    for _ in range(int(rng.integers(1, 6))):
        start = int(rng.integers(len(data)))
        data[start : start + int(rng.integers(1, 300))] = rng.bytes(int(rng.integers(0, 300)))
    file.write_bytes(data)
    for broken in find_broken([tmp_path]):
        result = repair_bag(broken)
        assert "\n" not in str(result)
        if result.folder:
            verify_bag(result.folder)
            assert set(rows(result.folder)) <= expected


def test_the_command_tells_what_it_did(chunked, tmp_path, capsys):
    import argparse

    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    killed(chunked(), 4)
    assert command.run(parser.parse_args(["repair", str(tmp_path)])) == 0
    assert "1 of 1 repaired" in capsys.readouterr().out
    assert command.run(parser.parse_args(["repair", str(tmp_path)])) == 0
    assert "nothing is broken" in capsys.readouterr().out
    with pytest.raises(DataError, match="no such folder"):
        command.run(parser.parse_args(["repair", str(tmp_path / "nowhere")]))
    assert command.run(parser.parse_args(["segment", str(tmp_path)])) == 0
    assert "segments.yaml: " in capsys.readouterr().out


def test_segments_are_a_file_to_edit_that_is_not_overwritten(make_bag):
    bag = make_bag()
    found = propose(bag, SegmentationConfig())
    path = write_segments(bag, found)
    assert [s.label for s in read_segments(bag)] == [s.label for s in found]
    content = yaml.safe_load(path.read_text())
    content["segments"] = [{"start": 0.0, "end": 0.1, "label": "reach"}]
    path.write_text(yaml.safe_dump(content))
    assert read_segments(bag)[0].label == "reach"
    with pytest.raises(DataError, match="--replace"):
        write_segments(bag, found)
    path.write_text("segments: [{start: 1.0, end: 0.0, label: back}]")
    with pytest.raises(DataError, match="not segments"):
        read_segments(bag)


def test_a_demonstration_holds_no_intervention(make_bag):
    stamps = read_bag(make_bag(), ("joint_states",)).stream("joint_states").received
    assert not interventions(make_bag("episode_0001"), stamps).any()
