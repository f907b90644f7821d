# SPDX-License-Identifier: Apache-2.0
import copy
import dataclasses
import itertools

import numpy as np
import pytest
import torch
from synthetic import SHORT

from kata_learning.training.folds import fold_of
from kata_learning.training.recipe import Recipe
from kata_learning.training.run_folder import RunWriter, begin_run, finished, load_losses, load_run, read_about
from kata_learning.training.train import Watch, train_policy
from kata_model.errors import DataError


def changed(**train):
    return dataclasses.replace(SHORT, train=dataclasses.replace(SHORT.train, **train))


def assert_same_weights(ours, theirs):
    for one, other in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_the_loss_falls(trained):
    assert trained.losses[-1].train < 0.6 * trained.losses[0].train
    assert trained.losses[trained.best].validation == min(loss.validation for loss in trained.losses)


def test_the_same_seed_gives_the_same_weights(dataset, trained):
    again = train_policy(dataset, SHORT)
    assert again.losses == trained.losses
    assert_same_weights(again.network, trained.network)


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_resumed_training_is_the_same_bit_for_bit(dataset, norm):
    shape = dataclasses.replace(SHORT.shape, dropout=0.2, norm=norm)
    recipe, states = dataclasses.replace(SHORT, shape=shape), []
    whole = train_policy(dataset, recipe, Watch(save=lambda state: states.append(copy.deepcopy(state()))))
    for state in (states[0], states[6]):
        resumed = train_policy(dataset, recipe, start=state)
        assert resumed.losses == whole.losses
        assert_same_weights(resumed.network, whole.network)


def test_training_ends_when_it_no_longer_helps(dataset):
    outcome = train_policy(dataset, changed(epochs=40, patience=3, rate=0.05))
    assert len(outcome.losses) < 40
    assert len(outcome.losses) - 1 - outcome.best == 3


def test_attempts_choose_the_pass_whatever_the_loss_says(dataset):
    answers = itertools.chain([1, 3, 3, 2])
    outcome = train_policy(dataset, changed(rollouts=5, rollout_every=3), Watch(judge=lambda network: next(answers)))
    assert [loss.successes for loss in outcome.losses] == [None, None, 1, None, None, 3, None, None, 3, None, None, 2]
    assert outcome.best == min((5, 8), key=lambda epoch: outcome.losses[epoch].validation)


def test_the_rate_rises_and_falls(trained):
    rates = [loss.rate for loss in trained.losses]
    assert max(rates) <= SHORT.train.rate
    assert rates[1:] == sorted(rates[1:], reverse=True)
    assert rates[-1] < 0.05 * SHORT.train.rate


def test_bfloat16_learns_too(dataset):
    outcome = train_policy(dataset, changed(precision="bfloat16"))
    assert outcome.losses[-1].train < 0.6 * outcome.losses[0].train
    assert all(value.dtype != torch.bfloat16 for value in outcome.network.state_dict().values())


def test_output_is_absolute_positions_near_the_measured(dataset, run):
    terms = [torch.from_numpy(np.array(values[:5])) for values in dataset.observation.values()]
    with torch.no_grad():
        chunk = run.network(*terms)
    assert chunk.shape == (5, SHORT.train.horizon, len(dataset.manifest.joint_names))
    assert (chunk[:, 0] - terms[0]).abs().max() < 0.3


def test_a_policy_sees_only_the_terms_that_it_is_given(dataset):
    spec = dataclasses.replace(SHORT, terms=("joint_position",)).spec(dataset)
    assert [term.name for term in spec.terms] == ["joint_position"]


@pytest.mark.parametrize(
    ("lacks", "says"),
    [
        ({"terms": ("wrench/left",)}, "sees? the term 'wrench/left', which the dataset lacks"),
        ({"cameras": ("head",)}, "sees? the camera 'head', which the dataset lacks"),
    ],
)
def test_data_that_lack_what_a_policy_needs_are_refused(dataset, lacks, says):
    with pytest.raises(DataError, match=says.replace("sees?", "see")):
        train_policy(dataset, dataclasses.replace(SHORT, **lacks))


def test_a_run_comes_back_from_its_folder(run_path, trained, run):
    assert run.network.spec == trained.network.spec
    assert tuple(load_losses(run_path)) == trained.losses
    assert_same_weights(run.network, trained.network)
    assert read_about(run_path).recipe == SHORT
    assert (run_path / "loss.png").stat().st_size > 1000


def test_a_run_that_was_cut_off_is_resumed_from_its_folder(dataset, run_path, trained, tmp_path):
    folder = tmp_path / "run"
    writer = begin_run(read_about(run_path), folder)
    assert writer.checkpoint() is None
    with pytest.raises(DataError, match="not finished"):
        load_run(folder)

    class PulledPlugError(Exception):
        pass

    def pull(state):
        RunWriter(folder, 0.0).save(state)
        if len(load_losses(folder)) == 5:
            raise PulledPlugError

    with pytest.raises(PulledPlugError):
        train_policy(dataset, SHORT, Watch(save=pull))
    assert not finished(folder)
    assert tuple(load_losses(folder)) == trained.losses[:5]
    writer.finish(train_policy(dataset, read_about(folder).recipe, start=writer.checkpoint()))
    assert_same_weights(load_run(folder).network, trained.network)
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "loss.png", "metrics.csv", "policy.pt"]


@pytest.mark.parametrize("file", ["policy.pt", "config.json"])
def test_a_cut_run_gives_one_line(run_path, tmp_path, file):
    for path in run_path.iterdir():
        data = path.read_bytes()
        (tmp_path / path.name).write_bytes(data[: len(data) // 2] if path.name == file else data)
    with pytest.raises(DataError, match="not a training run") as caught:
        load_run(tmp_path)
    assert "\n" not in str(caught.value)


def test_each_episode_is_held_out_once(dataset):
    folds = [fold_of(dataset, i, 3) for i in range(3)]
    held_out = [{e.bag for e in fold.manifest.episodes if e.split == "validation"} for fold in folds]
    assert set.union(*held_out) == {entry.bag for entry in dataset.manifest.episodes}
    assert sum(map(len, held_out)) == len(dataset.manifest.episodes)
    assert folds[0].manifest.statistics != folds[1].manifest.statistics
    assert train_policy(folds[1], changed(epochs=1)).losses
    with pytest.raises(DataError, match="cannot make 9 folds"):
        fold_of(dataset, 0, 9)


def test_a_recipe_comes_back_from_json():
    assert Recipe.from_mapping(SHORT.to_mapping()) == SHORT
