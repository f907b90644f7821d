# SPDX-License-Identifier: Apache-2.0
"""Datasets from bags with pictures: what is stored, what is read again, and what is refused."""

import dataclasses
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from synthetic import make_jpegs, simulate_reach, write_bag

from kata.cli import main
from kata_data.bags.cdr import read_joints
from kata_data.bags.reader import read_bag
from kata_data.building import build as building
from kata_data.building.aligned import Request, read_aligned
from kata_data.building.build import BuildOptions, DatasetConfig, build_dataset
from kata_data.building.cameras import camera_name
from kata_data.dataset import load_dataset
from kata_data.dataset.assemble import split_episodes
from kata_data.dataset.frames import check_frames
from kata_data.episodes.episode import NUMBERS
from kata_model.errors import DataError

IMAGE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"


@pytest.fixture
def bags(pictured_bags: Path, tmp_path: Path) -> Path:
    """Return bags that a test may spoil."""
    return Path(shutil.copytree(pictured_bags, tmp_path / "bags"))


def test_each_step_shows_the_newest_past_picture(pictured):
    dataset = load_dataset(pictured)
    for camera in ("head", "wrist"):
        age = dataset.stamp - dataset.frame_stamp[camera]
        assert (age >= 0).all()
        assert (age <= 1_000_000_000 // 30).all()


def test_pictures_are_the_decoded_ones_each_stored_once(pictured):
    dataset = load_dataset(pictured)
    jpeg = np.frombuffer(make_jpegs(12, 64, 48, 0)[4], dtype=np.uint8)
    stored = dataset.frames().pictures("head", 0)
    np.testing.assert_array_equal(stored[4], cv2.imdecode(jpeg, cv2.IMREAD_COLOR)[..., ::-1])
    assert len(stored) == len(np.unique(dataset.frame["head"][dataset.episode == 0])) < (dataset.episode == 0).sum()


def test_pictures_are_scaled_down_but_never_up(bags, g1, tmp_path):
    options = BuildOptions(cameras=None, folder=tmp_path / "out")
    dataset = build_dataset(sorted(bags.iterdir()), g1, DatasetConfig(image_height=24), options)
    assert dataset.manifest.cameras == {"head": (24, 32, 3), "wrist": (24, 24, 3)}
    large = build_dataset(sorted(bags.iterdir()), g1, DatasetConfig(image_height=1000), options)
    assert large.manifest.cameras == {"head": (48, 64, 3), "wrist": (32, 32, 3)}


def test_a_changed_picture_is_noticed(pictured, tmp_path):
    copy = Path(shutil.copytree(pictured, tmp_path / "copy"))
    entries = load_dataset(copy).manifest.episodes
    check_frames(copy, entries)
    file = copy / entries[1].frames["head"].file
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(DataError, match="differ"):
        check_frames(copy, entries)


def test_two_processes_build_what_one_builds(bags, tmp_path):
    for jobs in ("1", "2"):
        assert main(["dataset", "build", str(bags), "--out", str(tmp_path / jobs), "--jobs", jobs]) == 0
    assert load_dataset(tmp_path / "1").manifest == load_dataset(tmp_path / "2").manifest


def test_an_update_reads_only_new_and_changed_bags(bags, g1, tmp_path, monkeypatch):
    out, read = tmp_path / "out", []
    first = Path(shutil.move(bags / "episode_0002", tmp_path / "later"))
    assert main(["dataset", "build", str(bags), "--out", str(out), "--jobs", "1"]) == 0
    shutil.move(first, bags / "episode_0002")

    def noted(robot, path, request):
        read.append(path.name)
        return read_aligned(path, robot.layout, request)

    monkeypatch.setattr(building, "_read_one", noted)
    assert main(["dataset", "build", str(bags), "--out", str(out), "--jobs", "1", "--update"]) == 0
    assert read == ["episode_0002"]
    assert main(["dataset", "build", str(bags), "--out", str(tmp_path / "whole"), "--jobs", "1"]) == 0
    updated, whole = load_dataset(out), load_dataset(tmp_path / "whole")
    assert updated.manifest.hash == whole.manifest.hash
    assert updated.manifest.episodes == whole.manifest.episodes


def test_an_update_of_another_kind_is_refused(bags, pictured, tmp_path, capsys):
    copy = shutil.copytree(pictured, tmp_path / "copy")
    assert main(["dataset", "build", str(bags), "--out", str(copy), "--update", "--rate", "25"]) == 2
    assert "built with --rate 50.0, not 25.0" in capsys.readouterr().err
    assert load_dataset(tmp_path / "copy").manifest.rate == 50.0


def test_a_damaged_bag_among_many_is_named_and_refused_or_skipped(bags, tmp_path, capsys):
    file = next((bags / "episode_0001").glob("*.mcap"))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    command = ["dataset", "build", str(bags), "--out", str(tmp_path / "out"), "--jobs", "1"]
    assert main(command) == 2
    error = capsys.readouterr().err
    assert "episode_0001" in error
    assert "--on-damage skip" in error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bags"]
    assert main([*command, "--on-damage", "skip"]) == 0
    assert "skipped" in capsys.readouterr().out
    about = load_dataset(tmp_path / "out").manifest
    assert [Path(entry.bag).name for entry in about.episodes] == ["episode_0000", "episode_0002"]
    assert [Path(bag).name for bag in about.skipped] == ["episode_0001"]


def test_a_damaged_picture_names_bag_and_picture(g1, tmp_path):
    jpegs = make_jpegs(3)
    bag = write_bag(
        tmp_path / "bag", g1, simulate_reach(g1, np.random.default_rng(0), 0.4), pictures={"head": [jpegs[0], b"no jpeg"]}
    )
    with pytest.raises(DataError, match=r"picture 1 on /camera/head.*cannot be decoded"):
        read_aligned(bag, g1.layout, Request(DatasetConfig(), None, tmp_path / "out"))


def test_bags_of_two_robots_are_refused_with_both_shown(make_bag, g1):
    one, two = make_bag("one"), make_bag("two")
    about = two / "metadata.yaml"
    about.write_text(about.read_text().replace("robot: g1", "robot: talos"))
    with pytest.raises(DataError, match="from robot 'talos', not 'g1'"):
        build_dataset([one, two], g1, DatasetConfig())


def test_bags_of_two_rates_are_refused_with_both_shown(make_bag, g1, tmp_path):
    reach = simulate_reach(g1, np.random.default_rng(1), 0.6)
    every = {f.name: getattr(reach, f.name)[::4] for f in dataclasses.fields(reach) if f.name != "goal"}
    slow = write_bag(tmp_path / "slow", g1, dataclasses.replace(reach, **every))
    with pytest.raises(DataError, match=r"62 Hz in .*slow, but at 250 Hz in .*fast"):
        build_dataset([make_bag("fast"), slow], g1, DatasetConfig())
    with pytest.raises(DataError, match="slower than --rate 100"):
        build_dataset([slow], g1, DatasetConfig(rate=100.0))


def test_bags_of_two_sets_of_cameras_are_refused_with_both_shown(bags, make_bag, g1, tmp_path):
    both = [bags / "episode_0000", make_bag("blind")]
    with pytest.raises(DataError, match="none, the others head 64×48, wrist 32×32"):
        build_dataset(both, g1, DatasetConfig(), BuildOptions(cameras=None, folder=tmp_path / "out"))
    with pytest.raises(DataError, match="no camera 'rear'"):
        build_dataset(both[:1], g1, DatasetConfig(), BuildOptions(cameras=("rear",), folder=tmp_path / "out"))


def test_groups_of_a_label_are_not_torn_apart(pictured):
    entries = load_dataset(pictured).manifest.episodes
    splits = split_episodes(entries, 0.3, 0, by="operator")
    by_operator = {entry.labels["operator"]: split for entry, split in zip(entries, splits, strict=True)}
    assert sorted(by_operator.values()) == ["train", "validation"]
    assert [by_operator[entry.labels["operator"]] for entry in entries] == splits
    with pytest.raises(DataError, match="no label 'mood'"):
        split_episodes(entries, 0.3, 0, by="mood")


def test_adding_episodes_keeps_the_split_of_most_others(pictured):
    entry = load_dataset(pictured).manifest.episodes[0]
    many = [dataclasses.replace(entry, bag=f"/bags/episode_{i:04d}") for i in range(101)]
    before, after = split_episodes(many[:100], 0.2, 0), split_episodes(many, 0.2, 0)
    assert before.count("validation") == 20
    assert sum(a != b for a, b in zip(before, after, strict=False)) <= 1


def test_joints_read_at_once_are_those_read_one_by_one(make_bag):
    raw = read_bag(make_bag(), NUMBERS)
    for name, names_of in (("joint_states", "name"), ("command", "names")):
        stream = slow = raw.streams[name]
        table = read_joints(stream.data, stream.kind)
        assert table is not None
        assert list(table.names) == list(getattr(slow.messages[0], names_of))
        np.testing.assert_array_equal(table.stamp, slow.stamp)
        for field, values in table.numbers.items():
            np.testing.assert_array_equal(values, [getattr(message, field) for message in slow.messages])


@pytest.mark.parametrize("spoil", ["cut", "longer", "renamed", "big endian", "empty"])
def test_joint_messages_of_several_layouts_are_not_read_at_once(make_bag, spoil):
    stream = read_bag(make_bag(), NUMBERS).streams["joint_states"]
    data = list(stream.data)
    data[3] = {
        "cut": data[3][:-8],
        "longer": data[3] + b"\0" * 8,
        "renamed": data[3].replace(b"left_hip_pitch", b"left_hip_punch"),
        "big endian": b"\0\0" + data[3][2:],
        "empty": b"",
    }[spoil]
    assert read_joints(data, stream.kind) is None


@pytest.mark.parametrize(
    ("topic", "kind", "name"),
    [
        ("/camera/head/image_raw/compressed", COMPRESSED, "head"),
        ("/g1/camera/head/image_raw", IMAGE, "g1.head"),
        ("/wrist/color/image_raw", IMAGE, "wrist"),
        ("/camera/depth/image_raw", IMAGE, None),
        ("/camera/head/image_raw", "sensor_msgs/msg/CameraInfo", None),
    ],
)
def test_cameras_are_known_by_their_topics(topic, kind, name):
    assert camera_name(topic, kind) == name


def test_steps_of_a_human_in_the_policys_place_are_labelled(g1, bags, tmp_path):
    reach = simulate_reach(g1, np.random.default_rng(4), seconds=0.6)
    write_bag(bags / "episode_0009", g1, reach, interventions=((0.1, 0.2), (0.4, 0.5)), source="policy")
    data, part, out = tmp_path / "data", tmp_path / "part", tmp_path / "out"
    assert main(["dataset", "build", str(bags), "--cameras", "--out", str(data), "--jobs", "1"]) == 0
    whole = load_dataset(data)
    assert whole.manifest.episodes[-1].bag.endswith("episode_0009")
    mine = whole.episode == len(whole.manifest.episodes) - 1
    seconds = (whole.stamp[mine] - reach.stamp[0]) * 1e-9
    wanted = ((seconds >= 0.1) & (seconds < 0.2)) | ((seconds >= 0.4) & (seconds < 0.5))
    np.testing.assert_array_equal(whole.intervention[mine], wanted)
    assert not whole.intervention[~mine].any()
    assert main(["dataset", "select", str(data), "--label", "source=policy", "--out", str(part)]) == 0
    np.testing.assert_array_equal(load_dataset(part).intervention, wanted)
    assert main(["dataset", "export", str(part), "--out", str(out)]) == 0
    assert main(["dataset", "import", str(out), "--out", str(tmp_path / "back")]) == 0
    np.testing.assert_array_equal(load_dataset(tmp_path / "back").intervention, wanted)


WRIST = ("joint_position", "wrench/left_wrist")


def felt_bag(path, g1, silence=(0.0, 0.0)):
    """Write a reach of 2 s whose left wrist feels, at 100 Hz, how often it was asked; silent between two times [s]."""
    reach = simulate_reach(g1, np.random.default_rng(3))
    stamps = reach.stamp[0] + np.arange(-2, 200, dtype=np.int64) * 10_000_000
    rows = np.arange(202.0)[:, None] + np.arange(6.0) / 10
    begin, end = (int(reach.stamp[0] + moment * 1e9) for moment in silence)
    heard = (stamps < begin) | (stamps >= end)
    return write_bag(path, g1, reach, wrenches={"left_wrist": (stamps[heard], rows[heard])}), stamps, rows


def test_a_wrench_is_the_newest_past_one_of_its_sensor(g1, tmp_path):
    bag, stamps, rows = felt_bag(tmp_path / "bag", g1)
    dataset = build_dataset([bag], g1, DatasetConfig(validation=0.0), BuildOptions(terms=WRIST))
    newest = np.searchsorted(stamps, dataset.stamp, side="right") - 1
    np.testing.assert_array_equal(dataset.observation["wrench/left_wrist"], rows[newest].astype(np.float32))
    assert not dataset.sensitivity["wrench/left_wrist"].any()


def test_steps_without_a_wrench_are_dropped_and_counted(g1, tmp_path):
    bag, _, _ = felt_bag(tmp_path / "bag", g1, silence=(0.5, 1.0))
    dataset = build_dataset([bag], g1, DatasetConfig(validation=0.0), BuildOptions(terms=WRIST))
    dropped = dataset.manifest.episodes[0].dropped
    assert dropped == {"wrench/left_wrist": 22}  # felt until 0.49 s, trusted until 0.54, felt again from 1.0, at 50 Hz
    assert (
        build_dataset([bag], g1, DatasetConfig(validation=0.0), BuildOptions(terms=WRIST[:1])).manifest.episodes[0].dropped == {}
    )


def test_a_sensor_that_is_not_there_is_named(g1, tmp_path):
    bag, _, _ = felt_bag(tmp_path / "bag", g1)
    with pytest.raises(DataError, match=r"no wrench of a sensor 'right_wrist'.*left_wrist"):
        build_dataset([bag], g1, DatasetConfig(), BuildOptions(terms=("wrench/right_wrist",)))
