# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kata_data.dataset import EpisodeEntry
from kata_data.dataset.assemble import Steps, episodes_of
from kata_learning.augmentation import AugmentConfig
from kata_learning.augmentation.disturbance import Disturbance, carried_joints, fading
from kata_learning.augmentation.episodes import more_episodes
from kata_learning.augmentation.mirroring import mirror_of
from kata_learning.augmentation.pictures import PictureChanges
from kata_learning.augmentation.warping import warp_episode, warped_time
from kata_learning.training.recipe import Recipe
from kata_learning.training.samples import Samples
from kata_learning.training.train_config import TrainConfig
from kata_model.errors import DataError
from kata_model.joints import JointState
from kata_model.robot import find_symmetry
from kata_policy.observation import Observer

HORIZON = 8


@pytest.fixture
def samples(dataset):
    return Samples(dataset, "train", Recipe(train=TrainConfig(horizon=HORIZON)).spec(dataset))


def disturbed(samples, dataset, noise=0.0, shift=0.0):
    """Return all windows of a split: as they are, and disturbed."""
    blur = {name: torch.zeros(shape) for name, shape in dataset.manifest.terms.items()}
    disturbance = Disturbance(noise, fading(HORIZON, 50.0, 0.1), shift, blur)
    rows = torch.arange(len(samples))
    return samples.numbers(rows), samples.numbers(rows, disturbance, torch.Generator().manual_seed(0))


def test_an_error_is_led_back(samples, dataset):
    plain, pushed = disturbed(samples, dataset, noise=0.05)
    push = (pushed.terms[0] - plain.terms[0])[:, 0]
    assert 0.02 < push.std().item() < 0.05
    offset = pushed.chunk - plain.chunk
    for i in range(HORIZON):
        torch.testing.assert_close(offset[:, i], push * float(np.exp(-(i + 1) / 50.0 / 0.1)), atol=1e-6, rtol=1e-4)


def test_an_error_is_seen_as_the_robot_would_see_it(samples, dataset):
    plain, pushed = disturbed(samples, dataset, noise=0.05)
    moved = pushed.terms[2] - plain.terms[2]
    assert moved.abs().max() > 0.01
    torch.testing.assert_close(pushed.terms[1] - plain.terms[1], -moved, atol=1e-5, rtol=1e-3)


def test_in_another_place_the_same_motion_remains(samples, dataset):
    plain, elsewhere = disturbed(samples, dataset, shift=0.2)
    shift = elsewhere.terms[0] - plain.terms[0]
    assert shift.abs().max() > 0.2
    torch.testing.assert_close(elsewhere.terms[1], plain.terms[1], atol=1e-5, rtol=1e-3)
    torch.testing.assert_close(elsewhere.chunk - plain.chunk, shift.expand_as(plain.chunk), atol=1e-6, rtol=1e-4)


def test_without_noise_nothing_is_disturbed(samples, dataset):
    plain, same = disturbed(samples, dataset)
    assert all(torch.equal(a, b) for a, b in zip(same.terms, plain.terms, strict=True))
    assert torch.equal(same.chunk, plain.chunk)


def test_objects_are_carried_by_the_frame_that_they_are_seen_from():
    hand, generator = torch.randn(5, 1, 3, 7), torch.Generator().manual_seed(0)
    names = ("joint_position", "object_from_frame/cup/palm", "object_position/cup", "object_position/wall")
    terms = {name: torch.zeros(5, 1, 7 if name == "joint_position" else 3) for name in names}
    slopes = {"joint_position": torch.eye(7).expand(5, 1, 7, 7), "object_from_frame/cup/palm": -hand}
    disturbance = Disturbance(0.0, fading(4, 50.0, 0.1), 0.2, {name: torch.tensor(0.0) for name in names})
    moved, chunk = disturbance.apply(terms, slopes, torch.zeros(5, 4, 7), generator)
    joints = moved["joint_position"][:, 0]
    assert joints.abs().max() > 0.1
    torch.testing.assert_close(moved["object_position/cup"][:, 0], torch.einsum("bik,bk->bi", hand[:, 0], joints))
    assert moved["object_from_frame/cup/palm"].abs().max() < 1e-5
    assert not moved["object_position/wall"].any()
    assert torch.equal(chunk, joints[:, None].expand_as(chunk))
    alone, _ = disturbance.apply({"joint_position": terms["joint_position"]}, {"joint_position": slopes["joint_position"]},
                                 torch.zeros(5, 4, 7), generator)  # fmt: skip
    assert not alone["joint_position"].any(), "without objects there is no other place"


def test_two_hands_that_see_one_object_move_alike():
    slopes = {f"object_from_frame/box/{side}_palm": torch.randn(4, 1, 3, 14) for side in ("left", "right")}
    carry = carried_joints(slopes, torch.randn(4, 14))
    left, right = (torch.einsum("bik,bk->bi", slope[:, 0], carry) for slope in slopes.values())
    assert left.abs().max() > 0.1
    torch.testing.assert_close(left, right, atol=1e-4, rtol=1e-3)
    one = {"object_from_frame/box/left_palm": slopes["object_from_frame/box/left_palm"]}
    drawn = torch.randn(4, 14)
    assert torch.equal(carried_joints(one, drawn), drawn)


@given(st.integers(2, 300), st.floats(0.0, 0.9), st.integers(0, 100))
def test_warped_time_runs_on_within_the_demonstration_at_a_bounded_pace(length, amount, seed):
    tick = np.arange(length, dtype=np.int32)
    time, pace = warped_time(tick, amount, np.random.default_rng(seed))
    assert time[0] == 0.0
    assert time[-1] <= tick[-1]
    np.testing.assert_allclose(np.diff(time), pace[:-1])
    assert (np.abs(pace - 1.0) <= amount + 1e-9).all()


def line(count: int, gap: bool = False) -> Steps:
    """Return an episode of one joint that moves at 1 rad a step, its velocity beside it."""
    tick = np.delete(np.arange(count), [10, 11] if gap else []).astype(np.int32)
    at = tick.astype(np.float32)[:, None]
    return Steps(
        EpisodeEntry("line", len(tick), {}, "train", True),
        {"joint_position": at, "joint_velocity": np.ones_like(at)},
        {},
        at + 0.5,
        tick.astype(np.int64),
        tick.astype(np.int64),
        tick,
        {"head": np.arange(len(tick), dtype=np.int32)},
        {"head": tick.astype(np.int64)},
        np.zeros(len(tick), dtype=bool),
    )


def test_a_warped_episode_is_the_same_path_at_another_pace():
    warped = warp_episode(line(60), 0.5, np.random.default_rng(3))
    position = warped.observation["joint_position"][:, 0]
    assert len(position) != 60
    np.testing.assert_allclose(warped.action[:, 0], position + 0.5, atol=1e-4)
    np.testing.assert_allclose(np.diff(position), warped.observation["joint_velocity"][:-1, 0], atol=1e-4)
    assert (warped.frame["head"] <= position + 1e-4).all(), "a picture is never of the future"
    assert warped.entry.steps == len(warped.action)


def test_a_gap_stays_a_gap():
    warped = warp_episode(line(40, gap=True), 0.3, np.random.default_rng(0))
    position = warped.observation["joint_position"][:, 0]
    assert not ((position > 9.0) & (position < 12.0)).any()
    assert (np.diff(warped.tick) > 1).sum() == 1


@pytest.fixture
def bimanual(g1):
    """Return a manifest of both arms and the steps of a random motion, observed as on the robot."""
    joints = g1.description.groups["left_arm"] + g1.description.groups["right_arm"]
    sides = ("left", "right")
    terms = ["joint_position", "object_position/box", "object_rotation/box"] + [
        f"{kind}{side}_palm" for kind in ("frame_position/", "object_from_frame/box/") for side in sides
    ]
    return joints, terms


def observed(g1, joints, terms, position, box):
    observer, still = Observer(g1, terms, joints), np.zeros(len(g1.layout))
    state = JointState(0, position, still, still)
    return observer.observe(state, {"box": box}), observer.jacobian(state)


def test_a_mirrored_episode_is_what_the_mirrored_robot_would_see(g1, dataset, bimanual):
    joints, terms = bimanual
    terms = [term for term in terms if term.split("/")[0] != "object_rotation"]
    rng, symmetry = np.random.default_rng(0), find_symmetry(g1)
    position = g1.clamp(rng.uniform(-1.0, 1.0, len(g1.layout)))
    box = np.array([0.3, 0.1, 0.05])
    seen, slopes = observed(g1, joints, terms, position, box)
    index = g1.layout.indices(joints)
    action = position[index].astype(np.float32)
    entry = EpisodeEntry("shown", 1, {}, "train", True)
    one = np.zeros(1, dtype=np.int64)
    steps = Steps(
        entry,
        {name: values[None] for name, values in seen.items()},
        {name: values[None] for name, values in slopes.items()},
        action[None],
        one,
        one,
        one.astype(np.int32),
        {},
        {},
        one.astype(bool),
    )
    about = dataclasses.replace(dataset.manifest, joint_names=joints, terms={name: v.shape for name, v in seen.items()})
    mirrored = mirror_of(about, g1).episode(steps)
    theirs, their_slopes = observed(g1, joints, terms, symmetry.mirror(position), box * [1.0, -1.0, 1.0])
    for name in terms:
        np.testing.assert_allclose(mirrored.observation[name][0], theirs[name], atol=0.005)
        np.testing.assert_allclose(mirrored.sensitivity[name][0], their_slopes[name], atol=0.005)
    np.testing.assert_allclose(mirrored.action[0], symmetry.mirror(position)[index], atol=1e-6)


def test_what_is_shown_with_one_arm_has_no_mirror_image(dataset, g1):
    with pytest.raises(DataError, match=r"left_.*_joint, which they do not"):
        more_episodes(dataset, g1, AugmentConfig(mirror=True), 0)


def test_warped_episodes_are_for_training_alone(dataset, g1):
    more = more_episodes(dataset, g1, AugmentConfig(warp=0.2, warped=2), 0)
    assert len(more.steps("validation")) == len(dataset.steps("validation"))
    shown = len([entry for entry in dataset.manifest.episodes if entry.split == "train"])
    assert len([steps for steps in episodes_of(more) if steps.entry.split == "train"]) == 3 * shown
    assert more.manifest.hash == dataset.manifest.hash
    again = more_episodes(dataset, g1, AugmentConfig(warp=0.2, warped=2), 0)
    np.testing.assert_array_equal(again.action, more.action)
    assert more_episodes(dataset, g1, AugmentConfig(), 0) is dataset


@pytest.fixture
def pictures():
    return torch.randint(0, 256, (4, 2, 24, 32, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("changes", [{"crop": 0.2}, {"colour": 0.5}, {"blur": 2.0}, {"crop": 0.1, "colour": 0.2, "blur": 1.0}])
def test_changed_pictures_keep_shape_and_kind(pictures, changes):
    made = PictureChanges(**changes)
    chance = made.draw(4, torch.Generator().manual_seed(0))
    out = made.apply(pictures, chance)
    assert out.shape == pictures.shape
    assert out.dtype == torch.uint8
    assert not torch.equal(out, pictures)
    assert torch.equal(made.apply(pictures, chance), out)
    share = made.apply(pictures[1::2], chance[1::2])
    assert torch.equal(share, out[1::2]), "each sample's chance is its own"


def test_a_crop_only_shifts(pictures):
    chance = torch.zeros(4, 6)
    chance[:, :2] = 1.0  # all the way
    out = PictureChanges(crop=0.25).apply(pictures, chance)
    assert torch.equal(out[:, :, :18, :24], pictures[:, :, 6:, 8:])


def test_grey_stays_grey_and_blur_keeps_the_mean():
    grey = torch.full((1, 1, 20, 20, 3), 100, dtype=torch.uint8)
    grey[..., 8:12, 8:12, :] = 200
    out = PictureChanges(colour=0.5).apply(grey, torch.rand(1, 6)).float()
    assert (out.amax(-1) - out.amin(-1)).max() <= 1
    blurred = PictureChanges(blur=2.0).apply(grey, torch.ones(1, 6))
    assert abs(blurred.float().mean() - grey.float().mean()) < 0.5
    assert blurred.max() < 200
