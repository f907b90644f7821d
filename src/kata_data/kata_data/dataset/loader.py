# SPDX-License-Identifier: Apache-2.0
"""Random windows of a dataset: some steps back, some actions ahead, gathered for a whole batch at a time."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kata_data.dataset.store import Dataset
from kata_model.errors import DataError

__all__ = ["Around", "WindowLoader", "WindowSpec", "Windows"]


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """What a window holds.

    Attributes:
        history: Observations, the last of which is the step's own.
        horizon: Actions, the first of which is the step's own.
        cameras: Cameras whose pictures are loaded.
    """

    history: int = 1
    horizon: int = 16
    cameras: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse windows without a step."""
        if self.history < 1 or self.horizon < 1:
            raise ValueError(f"history is {self.history}, horizon {self.horizon}; both are at least 1")


@dataclass(frozen=True, slots=True)
class Windows:
    """B windows; where the episode begins or ends, or a step was dropped, the nearest step is repeated.

    Attributes:
        observation: By term, shape (B, history, *shape), float32.
        pictures: By camera, shape (B, history, height, width, 3), uint8, RGB.
        action: Shape (B, horizon, k), float32, [rad].
        past: Whether an observation is one of its own, not a repeated one, shape (B, history).
        valid: Likewise of the actions, shape (B, horizon).
    """

    observation: Mapping[str, NDArray[np.float32]]
    pictures: Mapping[str, NDArray[np.uint8]]
    action: NDArray[np.float32]
    past: NDArray[np.bool_]
    valid: NDArray[np.bool_]


class Around(NamedTuple):
    """Indices of the steps of B windows.

    Attributes:
        past: Shape (B, history).
        own: Whether that is one of its own, not a repeated one.
        ahead: Shape (B, horizon).
        valid: Likewise.
    """

    past: NDArray[np.intp]
    own: NDArray[np.bool_]
    ahead: NDArray[np.intp]
    valid: NDArray[np.bool_]


class WindowLoader:
    """Draws windows from one split of a dataset, without a loop over samples or a decoder.

    Numbers lie in memory, pictures in memory-mapped files: what does not fit into memory is read from disk as it
    is needed, and stays in the system's cache as long as there is room.
    """

    def __init__(self, dataset: Dataset, split: str, spec: WindowSpec) -> None:
        """Find where windows must not cross.

        Raises:
            DataError: The dataset lacks a camera, or the split is empty.
        """
        unknown = [camera for camera in spec.cameras if camera not in dataset.manifest.cameras]
        if unknown:
            has = ", ".join(dataset.manifest.cameras) or "none"
            raise DataError(f"the dataset has no camera {unknown[0]!r}", fix=f"its cameras: {has}")
        self.steps = dataset.steps(split)
        if not len(self.steps):
            raise DataError(f"the dataset has no {split} steps", fix="record more episodes, or split it otherwise")
        self._dataset, self.spec = dataset, spec
        self._first, self._last = _runs(dataset.episode, dataset.tick)
        self._store = dataset.frames() if spec.cameras else None

    def __len__(self) -> int:
        """Return the number of windows, one for each step."""
        return len(self.steps)

    def batch(self, steps: NDArray[np.intp]) -> Windows:
        """Return the windows of some steps, indices into the dataset, shape (B,)."""
        around = self.around(steps)
        return Windows(
            observation={name: _take(values, around.past) for name, values in self._dataset.observation.items()},
            pictures=self.pictures(steps),
            action=_take(self._dataset.action, around.ahead),
            past=around.own,
            valid=around.valid,
        )

    def around(self, steps: NDArray[np.intp]) -> Around:
        """Return which steps the windows of some steps hold, shape (B,)."""
        back = steps[:, None] + np.arange(1 - self.spec.history, 1)
        ahead = steps[:, None] + np.arange(self.spec.horizon)
        first, last = self._first[steps, None], self._last[steps, None]
        return Around(np.maximum(back, first), back >= first, np.minimum(ahead, last), ahead <= last)

    def pictures(self, steps: NDArray[np.intp]) -> dict[str, NDArray[np.uint8]]:
        """Return the pictures of the windows of some steps, as in `Windows`."""
        past = self.around(steps).past
        return {camera: self._pictures(camera, steps, past) for camera in self.spec.cameras}

    def _pictures(self, camera: str, steps: NDArray[np.intp], past: NDArray[np.intp]) -> NDArray[np.uint8]:
        out = np.empty((*past.shape, *self._dataset.manifest.cameras[camera]), dtype=np.uint8)
        if self._store is not None:
            self._store.gather(camera, self._dataset.episode[steps], _take(self._dataset.frame[camera], past), out)
        return out

    def epoch(self, size: int, generator: np.random.Generator, ready: int = 2) -> Iterator[Windows]:
        """Yield every window of the split once, in random order; the last batch may be smaller.

        Args:
            size: Windows in a batch.
            generator: Makes the order.
            ready: Batches that are gathered ahead in a thread, while the last one is being used.
        """
        order = self.steps[generator.permutation(len(self.steps))]
        parts = [order[i : i + size] for i in range(0, len(order), size)]
        with ThreadPoolExecutor(1, thread_name_prefix="loader") as pool:
            pending: list[Future[Windows]] = [pool.submit(self.batch, part) for part in parts[:ready]]
            for following in [*parts[ready:], *[None] * min(ready, len(parts))]:
                batch = pending.pop(0).result()
                if following is not None:
                    pending.append(pool.submit(self.batch, following))
                yield batch


def _runs(episode: NDArray[np.int32], tick: NDArray[np.int32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return for each step the first and the last step of its run without a gap."""
    count = len(episode)
    begins = np.ones(count, dtype=bool)
    begins[1:] = (np.diff(episode) != 0) | (np.diff(tick) != 1)
    starts = np.flatnonzero(begins)
    run = np.cumsum(begins) - 1
    ends = np.append(starts[1:], count) - 1
    return starts[run], ends[run]


def _take(values: NDArray[Any], rows: NDArray[np.intp]) -> NDArray[Any]:
    return np.take(values, rows, axis=0)


def seeded(seed: int, epoch: int) -> np.random.Generator:
    """Return the generator of one pass, so that each pass has an order of its own that can be repeated."""
    return np.random.default_rng(np.random.SeedSequence([seed, epoch]))
