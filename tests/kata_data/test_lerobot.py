# SPDX-License-Identifier: Apache-2.0
"""What is exported to LeRobotDataset v3.0, read back by a reader written from the format's documentation alone."""

import dataclasses
import json
import os
import subprocess
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import pytest

from kata.cli import main
from kata_data.dataset import load_dataset
from kata_data.dataset.assemble import episodes_of
from kata_data.interchange.lerobot_read import read_lerobot
from kata_data.interchange.lerobot_write import write_lerobot
from kata_learning.augmentation import AugmentConfig
from kata_learning.policies.config import MlpConfig
from kata_learning.training.recipe import Recipe
from kata_learning.training.train import train_policy
from kata_learning.training.train_config import TrainConfig
from kata_model.errors import DataError

COUNTERS = {"timestamp": "float", "frame_index": "int64", "episode_index": "int64", "index": "int64", "task_index": "int64"}


class SpecReader:
    """Reads the format as its documentation describes it, and complains of anything that does not fit."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.info = json.loads((root / "meta/info.json").read_text())
        assert self.info["codebase_version"] == "v3.0"
        assert {key: self.info[key] for key in ("total_episodes", "total_frames", "total_tasks", "fps")}
        self.stats = json.loads((root / "meta/stats.json").read_text())
        tasks = pq.read_table(root / "meta/tasks.parquet").to_pylist()
        self.tasks = {row["task_index"]: row["task"] for row in tasks}
        self.episodes = pq.read_table(sorted((root / "meta/episodes").rglob("*.parquet"))[0]).to_pylist()
        assert len(self.episodes) == self.info["total_episodes"]
        assert sum(row["length"] for row in self.episodes) == self.info["total_frames"]

    def numbers(self, episode: int) -> dict[str, np.ndarray]:
        row = self.episodes[episode]
        path = self.info["data_path"].format(chunk_index=row["data/chunk_index"], file_index=row["data/file_index"])
        table = pq.read_table(self.root / path)
        for name, kind in COUNTERS.items():
            assert str(table.schema.field(name).type) == kind
        rows = table.filter((table["episode_index"].to_numpy() == episode).tolist()).to_pydict()
        return {name: np.array(values) for name, values in rows.items()}

    def pictures(self, episode: int, key: str) -> np.ndarray:
        row = self.episodes[episode]
        place = {name: row[f"videos/{key}/{name}"] for name in ("chunk_index", "file_index")}
        path = self.root / self.info["video_path"].format(video_key=key, **place)
        first = round(row[f"videos/{key}/from_timestamp"] * self.info["fps"])
        with av.open(str(path)) as container:
            assert float(container.streams.video[0].average_rate) == self.info["fps"]
            frames = [(frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
        times = np.array([time for time, _ in frames])
        np.testing.assert_allclose(times, np.arange(len(times)) / self.info["fps"], atol=1e-4)
        return np.array([picture for _, picture in frames[first : first + row["length"]]])


@pytest.fixture(scope="module")
def exported(pictured: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lerobot") / "data"
    write_lerobot(load_dataset(pictured), folder)
    return folder


def test_numbers_are_those_of_the_dataset(pictured, exported):
    reader = SpecReader(exported)
    for i, steps in enumerate(episodes_of(load_dataset(pictured))):
        rows = reader.numbers(i)
        np.testing.assert_array_equal(rows["action"].astype(np.float32), steps.action)
        np.testing.assert_array_equal(rows["observation.state"].astype(np.float32), steps.observation["joint_position"])
        np.testing.assert_array_equal(rows["kata.stamp"], steps.stamp)
        np.testing.assert_array_equal(rows["kata.tick"], steps.tick)
        np.testing.assert_array_equal(rows["frame_index"], np.arange(len(steps.action)))
        np.testing.assert_allclose(rows["timestamp"], np.arange(len(steps.action)) / 50.0, atol=1e-5)
        first = reader.episodes[i]["dataset_from_index"]
        np.testing.assert_array_equal(rows["index"], first + np.arange(len(steps.action)))
        assert {reader.tasks[t] for t in rows["task_index"].tolist()} == {steps.entry.task} == set(reader.episodes[i]["tasks"])


def test_every_column_is_declared_with_its_shape(exported):
    reader = SpecReader(exported)
    rows = reader.numbers(0)
    declared = reader.info["features"]
    assert set(rows) == {key for key, feature in declared.items() if feature["dtype"] != "video"}
    for key, values in rows.items():
        width = declared[key]["shape"][0]
        assert values.shape[1:] == ((width,) if values.ndim > 1 else ())
        assert declared[key]["names"] is None or len(declared[key]["names"]) == width
    for key in declared:
        assert {"min", "max", "mean", "std", "count"} <= set(reader.stats[key])


def test_pictures_are_those_of_the_steps(pictured, exported):
    dataset, reader = load_dataset(pictured), SpecReader(exported)
    for camera in dataset.manifest.cameras:
        key = f"observation.images.{camera}"
        height, width, _ = dataset.manifest.cameras[camera]
        assert reader.info["features"][key]["shape"] == [height, width, 3]
        for i, steps in enumerate(episodes_of(dataset)):
            shown = reader.pictures(i, key)
            stored = dataset.frames().pictures(camera, i)[steps.frame[camera]]
            assert shown.shape == stored.shape
            error = np.abs(shown.astype(float) - stored).mean()
            assert error < 6.0, "H.264 loses little of a smooth picture"


def test_import_gives_back_what_was_exported(pictured, exported, tmp_path):
    before, after = load_dataset(pictured), read_lerobot(exported, tmp_path / "back")
    for name in ("action", "stamp", "state_stamp", "episode", "tick"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
    for term, values in before.observation.items():
        np.testing.assert_array_equal(after.observation[term], values)
    for camera in before.manifest.cameras:
        np.testing.assert_array_equal(after.frame[camera], before.frame[camera])
        np.testing.assert_array_equal(after.frame_stamp[camera], before.frame_stamp[camera])
    assert [e.split for e in after.manifest.episodes] == [e.split for e in before.manifest.episodes]
    assert [dict(e.labels) for e in after.manifest.episodes] == [dict(e.labels) for e in before.manifest.episodes]
    assert load_dataset(tmp_path / "back").manifest == after.manifest


def test_data_of_others_are_imported_with_nominal_times(exported, tmp_path):
    foreign = tmp_path / "foreign"
    subprocess.run(["cp", "-r", str(exported), str(foreign)], check=True)
    (foreign / "meta/kata.json").unlink()
    dataset = read_lerobot(foreign, tmp_path / "data")
    assert "joint_position" in dataset.observation, "a state named as the action is the policy's joints"
    assert "observation.frame_position.right_palm" in dataset.observation
    assert (np.diff(dataset.stamp[dataset.episode == 0]) == 20_000_000).all()
    recipe = Recipe(shape=MlpConfig(hidden=8, layers=1), train=TrainConfig(epochs=1, horizon=4))
    with pytest.raises(DataError, match="--noise 0 --shift 0"):
        train_policy(dataset, recipe)
    trained = train_policy(dataset, dataclasses.replace(recipe, augment=AugmentConfig(noise=0.0, shift=0.0)))
    assert np.isfinite(trained.losses[0].train)


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("meta/info.json", "{}", "codebase_version"),
        ("meta/info.json", '{"codebase_version": "v2.1"}', "v2.1"),
        ("meta/info.json", "", "not a LeRobotDataset"),
    ],
)
def test_what_is_not_the_format_gets_one_line_and_leaves_nothing(exported, tmp_path, file, text, says):
    broken = tmp_path / "broken"
    subprocess.run(["cp", "-r", str(exported), str(broken)], check=True)
    (broken / file).write_text(text)
    with pytest.raises(DataError, match=says) as caught:
        read_lerobot(broken, tmp_path / "data")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "data").exists()


def test_a_cut_video_is_refused(exported, tmp_path):
    broken = tmp_path / "broken"
    subprocess.run(["cp", "-r", str(exported), str(broken)], check=True)
    video = next((broken / "videos").rglob("*.mp4"))
    video.write_bytes(video.read_bytes()[:2000])
    with pytest.raises(DataError):
        read_lerobot(broken, tmp_path / "data")
    assert not (tmp_path / "data").exists()


_LEROBOT = """
import sys, json
import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset
data = LeRobotDataset("kata/test", root=sys.argv[1], video_backend="pyav", delta_timestamps={"action": [0.0, 0.02, 0.04]})
first, last = data[0], data[len(data) - 1]
print(json.dumps({
    "frames": len(data), "episodes": data.num_episodes, "fps": data.fps, "task": first["task"],
    "action": first["action"].shape, "last_stamp": int(last["kata.stamp"]), "state": first["observation.state"].tolist(),
    "picture": {k: [list(first[k].shape), float(first[k].mean())] for k in data.meta.camera_keys},
    "stats": {k: np.asarray(v["mean"]).shape for k, v in data.meta.stats.items()},
}))
"""


@pytest.mark.slow
def test_lerobots_own_loader_reads_it(pictured, exported):
    python = Path(os.environ.get("KATA_LEROBOT_PYTHON", "/tmp/lerobot-venv/bin/python"))
    if not python.exists():
        pytest.skip("no LeRobot: python3.12 -m venv /tmp/lerobot-venv && /tmp/lerobot-venv/bin/pip install 'lerobot[dataset]'")
    alone = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": "", "LD_LIBRARY_PATH": ""}
    done = subprocess.run([str(python), "-c", _LEROBOT, str(exported)], env=alone, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    told, dataset = json.loads(done.stdout.strip().splitlines()[-1]), load_dataset(pictured)
    assert (told["frames"], told["episodes"], told["fps"]) == (len(dataset), len(dataset.manifest.episodes), 50)
    assert told["task"] == dataset.manifest.episodes[0].task
    assert told["action"] == [3, len(dataset.manifest.joint_names)]
    assert told["last_stamp"] == dataset.stamp[-1]
    np.testing.assert_array_equal(np.array(told["state"], np.float32), dataset.observation["joint_position"][0])
    for camera, (height, width, _) in dataset.manifest.cameras.items():
        shape, mean = told["picture"][f"observation.images.{camera}"]
        assert shape == [3, height, width]
        assert abs(mean - dataset.frames().pictures(camera, 0)[0].mean() / 255.0) < 0.02


def test_the_command_says_what_is_nominal(pictured, tmp_path, capsys):
    assert main(["dataset", "export", str(pictured), "--out", str(tmp_path / "out")]) == 0
    assert "times are nominal, true ones in kata.stamp" in capsys.readouterr().out
    assert main(["dataset", "import", str(tmp_path / "out"), "--out", str(tmp_path / "back")]) == 0
    assert "at 50 Hz" in capsys.readouterr().out
