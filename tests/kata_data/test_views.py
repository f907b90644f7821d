# SPDX-License-Identifier: Apache-2.0
"""Parts and unions of datasets, pages of them, and HDF5."""

import dataclasses
import json
import os
import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from kata.cli import main
from kata_data.dataset import load_dataset, save_dataset
from kata_data.dataset.assemble import assemble, episodes_of
from kata_data.dataset.frames import check_frames
from kata_data.dataset.views import merge
from kata_model.errors import DataError


def names(folder: Path) -> list[str]:
    return [Path(entry.bag).name for entry in load_dataset(folder).manifest.episodes]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--label", "operator=anna"], [0, 2]),
        (["--label", "operator=anna", "--label", "operator=ben"], [0, 1, 2]),
        (["--quality", "B"], [1]),
        (["--episodes", "0-1"], [0, 1]),
        (["--success", "--episodes", "2"], [2]),
    ],
)
def test_select_takes_what_all_conditions_want(pictured, tmp_path, options, expected):
    out = tmp_path / "out"
    assert main(["dataset", "select", str(pictured), "--out", str(out), *options]) == 0
    assert names(out) == [f"episode_{i:04d}" for i in expected]
    whole, part = load_dataset(pictured), load_dataset(out)
    check_frames(out, part.manifest.episodes)
    np.testing.assert_array_equal(part.action, whole.action[np.isin(whole.episode, expected)])
    assert part.manifest.hash != whole.manifest.hash or len(expected) == 3
    file = part.manifest.episodes[0].frames["head"].file
    assert os.path.samefile(out / file, pictured / file), "pictures are shared, not copied"


def test_nothing_selected_leaves_nothing(pictured, tmp_path, capsys):
    assert main(["dataset", "select", str(pictured), "--out", str(tmp_path / "out"), "--failure"]) == 2
    assert "no episode is left" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_split_and_merge_are_inverse(pictured, tmp_path):
    assert main(["dataset", "split", str(pictured), "--out", str(tmp_path / "by"), "--by", "operator"]) == 0
    assert names(tmp_path / "by/anna") == ["episode_0000", "episode_0002"]
    assert names(tmp_path / "by/ben") == ["episode_0001"]
    parts = [str(tmp_path / "by/anna"), str(tmp_path / "by/ben"), str(tmp_path / "by/ben")]
    assert main(["dataset", "merge", *parts, "--out", str(tmp_path / "joined")]) == 0
    assert sorted(names(tmp_path / "joined")) == names(pictured)
    whole, joined = load_dataset(pictured), load_dataset(tmp_path / "joined")
    check_frames(tmp_path / "joined", joined.manifest.episodes)
    assert {s.entry.bag: s.action.tobytes() for s in episodes_of(joined)} == {
        s.entry.bag: s.action.tobytes() for s in episodes_of(whole)
    }


def test_random_parts_are_whole_episodes_of_the_shares_asked_for(pictured, tmp_path):
    assert main(["dataset", "split", str(pictured), "--out", str(tmp_path / "parts"), "--shares", "2", "1"]) == 0
    parts = [names(tmp_path / f"parts/part_{i}") for i in range(2)]
    assert [len(part) for part in parts] == [2, 1]
    assert sorted(parts[0] + parts[1]) == names(pictured)


def test_datasets_of_two_joint_orders_do_not_merge(dataset):
    about = dataset.manifest
    turned = dataclasses.replace(dataset, manifest=dataclasses.replace(about, joint_names=about.joint_names[::-1]))
    with pytest.raises(DataError, match=r"joint names of first: .*; of second: ") as caught:
        merge({Path("first"): dataset, Path("second"): turned})
    assert str(caught.value).count(about.joint_names[0]) == 2


def test_two_versions_of_a_bag_do_not_merge(dataset):
    entries = tuple(dataclasses.replace(entry, fingerprint="other") for entry in dataset.manifest.episodes)
    other = dataclasses.replace(dataset, manifest=dataclasses.replace(dataset.manifest, episodes=entries))
    with pytest.raises(DataError, match="another version of the bag"):
        merge({Path("first"): dataset, Path("second"): other})


def test_taking_apart_and_assembling_changes_nothing(dataset):
    again = assemble(dataset.manifest, episodes_of(dataset), None)
    assert again.manifest == dataset.manifest
    for name, values in dataset.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], values)


def test_the_page_shows_every_episode_and_offers_its_labels(pictured, tmp_path):
    out = tmp_path / "page.html"
    assert main(["dataset", "show", str(pictured), "--out", str(out), "--check-pictures"]) == 0
    text = out.read_text()
    cards = re.findall(r'class=episode data-labels="([^"]*)"', text)
    assert [json.loads(card.replace("&#34;", '"'))["operator"] for card in cards] == ["anna", "ben", "anna"]
    assert '<select name="operator">' in text
    assert '<select name="robot">' not in text, "a label with one value tells nothing"
    assert text.count("data:image/jpeg;base64,") == 3 * 2 * 6
    assert text.count("<polyline") == 3 * 2 * len(load_dataset(pictured).manifest.joint_names)
    assert all(name.removesuffix("_joint") in text for name in load_dataset(pictured).manifest.joint_names)
    assert "http://" not in text.replace("http://www.w3.org", "")


def test_labels_cannot_break_the_page(dataset, tmp_path):
    entries = tuple(
        dataclasses.replace(entry, labels={"note": f'<script>"{i}'}) for i, entry in enumerate(dataset.manifest.episodes)
    )
    save_dataset(
        dataclasses.replace(dataset, manifest=dataclasses.replace(dataset.manifest, episodes=entries)), tmp_path / "data"
    )
    assert main(["dataset", "show", str(tmp_path / "data")]) == 0
    text = (tmp_path / "data.html").read_text()
    assert text.count("<script>") == 1


def test_hdf5_has_robomimics_layout(pictured, tmp_path):
    out, dataset = tmp_path / "data.hdf5", load_dataset(pictured)
    streams = ["joint_position", "frame_position/right_palm", "head"]
    assert main(["dataset", "export", str(pictured), "--format", "hdf5", "--out", str(out), "--streams", *streams]) == 0
    with h5py.File(out) as file:
        assert file["data"].attrs["total"] == len(dataset)
        assert json.loads(file["data"].attrs["env_args"])["env_name"] == "reach"
        demos = sorted(file["data"])
        assert sorted([*file["mask/train"][:], *file["mask/valid"][:]]) == [demo.encode() for demo in demos]
        for i, (demo, steps) in enumerate(zip(demos, episodes_of(dataset), strict=True)):
            group = file["data"][demo]
            assert group.attrs["num_samples"] == len(group["actions"]) == len(steps.action)
            np.testing.assert_array_equal(group["actions"], steps.action)
            np.testing.assert_array_equal(group["obs/joint_position"], steps.observation["joint_position"])
            assert set(group["obs"]) == {"joint_position", "frame_position.right_palm", "head_image"}
            shown = dataset.frames().pictures("head", i)[steps.frame["head"]]
            np.testing.assert_array_equal(group["obs/head_image"], shown)
            assert group["dones"][:].tolist() == [0] * (len(steps.action) - 1) + [1]
            assert group["rewards"][-1] == 1.0


def test_hdf5_refuses_unknown_streams(pictured, tmp_path, capsys):
    command = ["dataset", "export", str(pictured), "--format", "hdf5", "--out", str(tmp_path / "data.hdf5")]
    assert main([*command, "--streams", "rear"]) == 2
    assert "no stream 'rear'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
