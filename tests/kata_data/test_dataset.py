# SPDX-License-Identifier: Apache-2.0
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from synthetic import ARM, simulate_reach, write_bag

from kata_data.bags.bag_info import find_bags
from kata_data.building.build import BuildOptions, DatasetConfig, build_dataset
from kata_data.building.joints import expand_joints
from kata_data.dataset import content_hash, load_dataset, save_dataset
from kata_data.dataset.table import read_table, write_table
from kata_data.episodes.episode import read_episode
from kata_model import JointState
from kata_model.errors import ContractError, DataError
from kata_policy.observation import Observer


def test_failures_stay_out_unless_asked_for(bags, dataset, g1):
    assert len(dataset.manifest.episodes) == 5
    every = build_dataset(find_bags([bags]), g1, DatasetConfig(failures=True))
    assert [entry.success for entry in every.manifest.episodes] == [True, True, True, False, True, True]


def test_the_joints_that_moved_are_the_policys(dataset):
    assert set(dataset.manifest.joint_names) <= set(ARM)


def test_time_rises_in_each_episode_at_the_rate(dataset):
    for i in range(len(dataset.manifest.episodes)):
        stamp = dataset.stamp[dataset.episode == i]
        assert (np.diff(stamp) == 20_000_000).all()


def test_observations_are_the_robots_own(dataset, bags, g1):
    recording = read_episode(Path(dataset.manifest.episodes[0].bag), g1.layout)
    observer = Observer(g1, list(dataset.manifest.terms), dataset.manifest.joint_names)
    goal = recording.objects.position["goal"][0]
    for step in (0, 17, 49):
        at = int(np.searchsorted(recording.state.stamp, dataset.stamp[step], side="right")) - 1
        state = JointState(0, recording.state.position[at], recording.state.velocity[at], recording.state.effort[at])
        for term, value in observer.observe(state, {"goal": goal}).items():
            np.testing.assert_array_equal(dataset.observation[term][step], value)


def test_the_action_is_the_command_sent_for_that_instant(dataset, g1):
    recording = read_episode(Path(dataset.manifest.episodes[0].bag), g1.layout)
    command, index = recording.command, g1.layout.indices(dataset.manifest.joint_names)
    for step in (0, 17, 49):
        last = np.flatnonzero(command.stamp <= dataset.stamp[step])[-1]
        np.testing.assert_array_equal(dataset.action[step], command.position[last, index].astype(np.float32))


def test_sensitivity_predicts_what_a_displaced_joint_shows(dataset, g1):
    recording = read_episode(Path(dataset.manifest.episodes[0].bag), g1.layout)
    names = dataset.manifest.joint_names
    observer = Observer(g1, list(dataset.manifest.terms), names)
    position = recording.state.position[0].copy()
    push = np.random.default_rng(0).normal(0.0, 0.02, len(names))
    position[g1.layout.indices(names)] += push
    seen = observer.observe(JointState(0, position, position * 0, position * 0), {"goal": recording.objects.position["goal"][0]})
    for term, value in seen.items():
        predicted = dataset.observation[term][0] + dataset.sensitivity[term][0] @ push
        np.testing.assert_allclose(predicted, value, atol=1e-3)


def test_a_gap_in_a_stream_drops_its_steps_and_says_so(g1, tmp_path):
    reach = simulate_reach(g1, np.random.default_rng(2), seconds=1.0)
    source = reach.source.copy()
    source[100:175] = source[99]  # the source falls silent for 0.3 s
    bag = write_bag(tmp_path / "bag", g1, dataclasses.replace(reach, source=source))
    built = build_dataset([bag], g1, DatasetConfig())
    (entry,) = built.manifest.episodes
    silent = (source[175] - source[99]) * 1e-9
    assert entry.dropped == {"command": pytest.approx((silent - 0.05) * 50, abs=1.0)}
    assert entry.steps == 50 - entry.dropped["command"]
    assert np.diff(built.tick).max() == entry.dropped["command"] + 1


def test_steps_that_are_not_finite_are_dropped(g1, tmp_path):
    reach = simulate_reach(g1, np.random.default_rng(2), seconds=0.6)
    command = reach.command.copy()
    command[60:62] = np.nan  # of one source stamp
    built = build_dataset(
        [write_bag(tmp_path / "bag", g1, dataclasses.replace(reach, command=command))], g1, DatasetConfig(rate=250.0)
    )
    assert built.manifest.episodes[0].dropped["incomplete"] >= 1
    assert all(np.isfinite(values).all() for values in built.arrays().values())


def test_split_is_by_episode_and_by_seed(bags, dataset, g1):
    splits = [entry.split for entry in dataset.manifest.episodes]
    assert splits.count("validation") == 1
    assert set(dataset.steps("train")).isdisjoint(dataset.steps("validation"))
    assert len(dataset.steps("train")) + len(dataset.steps("validation")) == len(dataset)
    found = find_bags([bags])
    other = build_dataset(found, g1, DatasetConfig(seed=1)).manifest.episodes
    assert [entry.split for entry in other] != splits


def test_statistics_are_of_the_training_steps(dataset):
    values = dataset.action[dataset.steps("train")].astype(float)
    np.testing.assert_allclose(dataset.manifest.statistics["action"].mean, values.mean(0))
    np.testing.assert_allclose(dataset.manifest.statistics["action"].std, values.std(0))


def test_saved_and_loaded_is_the_same(dataset, saved):
    loaded = load_dataset(saved)
    assert loaded.manifest == dataclasses.replace(dataset.manifest, hash=content_hash(dataset.arrays()))
    for name, values in dataset.arrays().items():
        np.testing.assert_array_equal(loaded.arrays()[name], values)


def test_building_twice_gives_the_same_hash(bags, dataset, g1):
    again = build_dataset(find_bags([bags]), g1, DatasetConfig())
    assert content_hash(again.arrays()) == content_hash(dataset.arrays())


def test_a_changed_array_is_noticed(dataset, tmp_path):
    save_dataset(dataset, tmp_path / "data")
    arrays = {name: values.copy() for name, values in read_table(tmp_path / "data/steps.parquet").items()}
    arrays["action"][3] += 1e-6
    write_table(arrays, tmp_path / "data/steps.parquet")
    with pytest.raises(DataError, match="hash"):
        load_dataset(tmp_path / "data")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema": 99}'])
def test_a_damaged_manifest_gives_one_line(dataset, tmp_path, text):
    save_dataset(dataset, tmp_path / "data")
    (tmp_path / "data/manifest.json").write_text(text)
    with pytest.raises(DataError, match="not a dataset") as caught:
        load_dataset(tmp_path / "data")
    assert "\n" not in str(caught.value)


def test_nothing_is_overwritten_unasked(dataset, tmp_path):
    save_dataset(dataset, tmp_path / "data")
    with pytest.raises(DataError, match="--replace"):
        save_dataset(dataset, tmp_path / "data")
    save_dataset(dataset, tmp_path / "data", replace=True)
    (tmp_path / "home").mkdir()
    with pytest.raises(DataError, match="not replaced"):
        save_dataset(dataset, tmp_path / "home", replace=True)


def test_nothing_half_written_is_left(dataset, tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(json, "dumps", full)
    with pytest.raises(DataError, match="No space left"):
        save_dataset(dataset, tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


def test_groups_stand_for_their_joints(g1):
    assert expand_joints(["right_arm"], g1) == ARM
    assert expand_joints(["right_elbow_joint", "right_arm"], g1) == ARM
    with pytest.raises(DataError, match="right_arm"):
        expand_joints(["tail"], g1)


def test_unknown_terms_are_refused(bags, g1):
    with pytest.raises(ContractError, match="feelings"):
        build_dataset(find_bags([bags]), g1, DatasetConfig(), BuildOptions(terms=["feelings"]))


def test_an_object_that_was_not_there_leaves_nothing(bags, g1):
    with pytest.raises(DataError, match="no step"):
        build_dataset(find_bags([bags]), g1, DatasetConfig(), BuildOptions(terms=["object_position/cup"]))


def test_failures_alone_are_not_enough(make_bag, g1):
    with pytest.raises(DataError, match="--failures"):
        build_dataset([make_bag(task_success="false")], g1, DatasetConfig())
