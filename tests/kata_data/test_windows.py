# SPDX-License-Identifier: Apache-2.0
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kata_data.dataset.windows import action_windows


def test_chunks_end_with_the_episode_and_repeat_its_last_step():
    windows = action_windows(np.array([0, 0, 0, 1, 1], np.int32), np.array([0, 1, 2, 0, 1], np.int32), 3)
    assert windows.step.tolist() == [[0, 1, 2], [1, 2, 2], [2, 2, 2], [3, 4, 4], [4, 4, 4]]
    assert windows.valid.sum(1).tolist() == [3, 2, 1, 2, 1]


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(1, 8))
def test_chunks_never_cross_a_dropped_step(kept, horizon):
    tick = np.flatnonzero(kept).astype(np.int32)
    windows = action_windows(np.zeros(len(tick), np.int32), tick, horizon)
    for i, (steps, valid) in enumerate(zip(windows.step, windows.valid, strict=True)):
        assert valid[0]
        assert (tick[steps[valid]] == tick[i] + np.flatnonzero(valid)).all()
        assert (np.diff(valid.astype(int)) <= 0).all(), "valid after invalid: the chunk jumped over a gap"
