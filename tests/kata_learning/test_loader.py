# SPDX-License-Identifier: Apache-2.0
"""Windows that the loader draws, against the plainest way to cut them out."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from kata_data.dataset import Dataset, load_dataset
from kata_data.dataset.assemble import assemble, episodes_of
from kata_data.dataset.loader import WindowLoader, WindowSpec, seeded
from kata_data.dataset.windows import action_windows
from kata_learning.training.torch_windows import TorchWindows
from kata_model.errors import DataError

SPEC = WindowSpec(history=3, horizon=5, cameras=("head", "wrist"))


@pytest.fixture(scope="module")
def gappy(pictured) -> Dataset:
    """Return a dataset that lacks some steps within its episodes."""
    dataset = load_dataset(pictured)
    parts = []
    for steps in episodes_of(dataset):
        kept = np.delete(np.arange(len(steps.action)), [6, 7, 15])
        fields = {name: getattr(steps, name) for name in ("action", "stamp", "state_stamp", "tick", "intervention")}
        named = {name: getattr(steps, name) for name in ("observation", "sensitivity", "frame", "frame_stamp")}
        cut = {name: values[kept] for name, values in fields.items()}
        cut |= {name: {key: values[kept] for key, values in part.items()} for name, part in named.items()}
        parts.append(type(steps)(steps.entry, **cut))
    return assemble(dataset.manifest, parts, dataset.folder)


def test_windows_never_cross_a_gap_or_an_episode(gappy):
    loader = WindowLoader(gappy, "train", SPEC)
    batch = loader.batch(loader.steps)
    store = gappy.frames()
    for row, step in enumerate(loader.steps.tolist()):
        back = step
        for h in range(SPEC.history - 1, -1, -1):
            assert batch.past[row, h] == (back == step - (SPEC.history - 1 - h))
            for term, values in gappy.observation.items():
                np.testing.assert_array_equal(batch.observation[term][row, h], values[back])
            for camera in SPEC.cameras:
                picture = store.pictures(camera, int(gappy.episode[back]))[gappy.frame[camera][back]]
                np.testing.assert_array_equal(batch.pictures[camera][row, h], picture)
            joined = back and gappy.episode[back - 1] == gappy.episode[back] and gappy.tick[back - 1] + 1 == gappy.tick[back]
            back -= bool(joined)


def test_actions_are_those_of_the_training_windows(gappy):
    loader = WindowLoader(gappy, "train", SPEC)
    batch, windows = loader.batch(loader.steps), action_windows(gappy.episode, gappy.tick, SPEC.horizon)
    np.testing.assert_array_equal(batch.valid, windows.valid[loader.steps])
    np.testing.assert_array_equal(batch.action, gappy.action[windows.step[loader.steps]])


def test_an_epoch_shows_every_step_once_in_an_order_that_the_seed_makes(gappy):
    loader = WindowLoader(gappy, "train", WindowSpec(horizon=1))
    seen = {}
    for name, seed in (("one", 0), ("again", 0), ("other", 1)):
        seen[name] = np.concatenate([batch.action[:, 0] for batch in loader.epoch(7, seeded(seed, 0))])
    np.testing.assert_array_equal(seen["one"], seen["again"])
    assert (seen["one"] != seen["other"]).any()
    rows = gappy.action[loader.steps]
    np.testing.assert_array_equal(seen["one"][np.lexsort(seen["one"].T)], rows[np.lexsort(rows.T)])


@pytest.mark.parametrize("workers", [0, 2])
def test_torch_gets_the_same_batches_from_any_number_of_workers(gappy, workers):
    loader = WindowLoader(gappy, "train", SPEC)
    alone = list(TorchWindows(loader, 8))
    shared = list(DataLoader(TorchWindows(loader, 8), batch_size=None, num_workers=workers))
    assert len(alone) == len(shared) == len(TorchWindows(loader, 8))
    for a, b in zip(alone, shared, strict=True):
        assert set(a) == {*gappy.observation, "camera.head", "camera.wrist", "action", "past", "valid"}
        for name in a:
            torch.testing.assert_close(a[name], b[name], rtol=0, atol=0)


def test_what_cannot_be_drawn_is_refused(gappy, dataset):
    with pytest.raises(DataError, match="no camera 'rear'"):
        WindowLoader(gappy, "train", WindowSpec(cameras=("rear",)))
    with pytest.raises(DataError, match="no test steps"):
        WindowLoader(dataset, "test", WindowSpec())
    with pytest.raises(ValueError, match="at least 1"):
        WindowSpec(history=0)


def test_what_gathering_raises_in_its_thread_is_raised_where_batches_are_taken(gappy, monkeypatch):
    loader = WindowLoader(gappy, "train", WindowSpec(horizon=2))

    def fail(part):
        raise DataError("a picture is gone")

    monkeypatch.setattr(loader, "batch", fail)
    with pytest.raises(DataError, match="gone"):
        next(loader.epoch(4, seeded(0, 0)))
