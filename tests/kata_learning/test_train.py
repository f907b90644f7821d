# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest
import torch
from synthetic import SHORT

from kata_core.errors import DataError
from kata_learning.run_folder import load_losses, load_run
from kata_learning.samples import Disturbance, carried_slopes, fading, take_samples
from kata_learning.train import train_policy


def test_the_loss_falls(trained):
    assert trained.losses[-1].train < 0.6 * trained.losses[0].train
    assert trained.losses[trained.best].validation == min(loss.validation for loss in trained.losses)


def test_the_same_seed_gives_the_same_weights(dataset, trained):
    again = train_policy(dataset, SHORT)
    assert again.losses == trained.losses
    for ours, theirs in zip(again.network.parameters(), trained.network.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_training_ends_when_it_no_longer_helps(dataset):
    config = dataclasses.replace(SHORT, epochs=40, patience=3, rate=0.05)
    outcome = train_policy(dataset, config)
    assert len(outcome.losses) < 40
    assert len(outcome.losses) - 1 - outcome.best == 3


def test_output_is_absolute_positions_near_the_measured(dataset, run):
    terms = [torch.from_numpy(np.array(values[:5])) for values in dataset.observation.values()]
    with torch.no_grad():
        chunk = run.network(*terms)
    assert chunk.shape == (5, SHORT.horizon, len(dataset.manifest.joint_names))
    assert (chunk[:, 0] - terms[0]).abs().max() < 0.3


@pytest.fixture
def samples(dataset):
    return take_samples(dataset, "train", 8)


def disturbed(samples, noise=0.0, shift=0.0):
    blur = tuple(torch.zeros(term.shape[1:]) for term in samples.terms)
    return Disturbance(noise, fading(8, 50.0, 0.1), shift, blur).apply(samples, torch.Generator().manual_seed(0))


def test_an_error_is_led_back(samples):
    pushed = disturbed(samples, noise=0.05)
    push = pushed.terms[0] - samples.terms[0]
    assert 0.02 < push.std().item() < 0.05
    offset = pushed.chunk - samples.chunk
    for i in range(8):
        torch.testing.assert_close(offset[:, i], push * float(np.exp(-(i + 1) / 50.0 / 0.1)), atol=1e-6, rtol=1e-4)


def test_an_error_is_seen_as_the_robot_would_see_it(samples):
    pushed = disturbed(samples, noise=0.05)
    moved = pushed.terms[2] - samples.terms[2]
    assert moved.abs().max() > 0.01
    torch.testing.assert_close(pushed.terms[1] - samples.terms[1], -moved, atol=1e-5, rtol=1e-3)


def test_in_another_place_the_same_motion_remains(samples):
    elsewhere = disturbed(samples, shift=0.2)
    shift = elsewhere.terms[0] - samples.terms[0]
    assert shift.abs().max() > 0.2
    torch.testing.assert_close(elsewhere.terms[1], samples.terms[1], atol=1e-5, rtol=1e-3)
    torch.testing.assert_close(elsewhere.chunk - samples.chunk, shift[:, None].expand_as(samples.chunk), atol=1e-6, rtol=1e-4)


def test_objects_are_carried_by_the_frame_that_they_are_seen_from():
    hand = torch.randn(5, 3, 7)
    names = ("joint_position", "object_from_frame/cup/palm", "object_position/cup", "object_position/wall")
    slopes = (torch.eye(7).expand(5, 7, 7), -hand, torch.zeros(5, 3, 7), torch.zeros(5, 3, 7))
    joints, seen, cup, wall = carried_slopes(names, slopes)
    assert torch.equal(joints, slopes[0])
    assert not seen.any()
    assert torch.equal(cup, hand)
    assert not wall.any()


def test_without_objects_there_is_no_other_place():
    assert not any(slope.any() for slope in carried_slopes(("joint_position",), (torch.eye(7).expand(5, 7, 7),)))


def test_without_noise_nothing_is_disturbed(samples):
    same = disturbed(samples)
    assert all(torch.equal(a, b) for a, b in zip(same.terms, samples.terms, strict=True))
    assert torch.equal(same.chunk, samples.chunk)


def test_a_run_comes_back_from_its_folder(run_path, trained, run):
    assert run.network.spec == trained.network.spec
    assert tuple(load_losses(run_path)) == trained.losses
    for ours, theirs in zip(run.network.state_dict().values(), trained.network.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)
    assert (run_path / "loss.png").stat().st_size > 1000


@pytest.mark.parametrize("file", ["policy.pt", "config.json"])
def test_a_cut_run_gives_one_line(run_path, tmp_path, file):
    for path in run_path.iterdir():
        data = path.read_bytes()
        (tmp_path / path.name).write_bytes(data[: len(data) // 2] if path.name == file else data)
    with pytest.raises(DataError, match="not a training run") as caught:
        load_run(tmp_path)
    assert "\n" not in str(caught.value)
