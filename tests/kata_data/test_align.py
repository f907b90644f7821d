# SPDX-License-Identifier: Apache-2.0
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kata_data.building.align import grid, match_past, rising

STAMPS = st.lists(st.integers(0, 10_000), max_size=40).map(lambda values: np.array(values, dtype=np.int64))


@given(STAMPS, STAMPS, st.integers(0, 500))
def test_match_is_past_within_tolerance_and_the_newest(stamp, at, tolerance):
    usable = stamp[rising(stamp)]
    for t, i in zip(at, match_past(stamp, at, tolerance), strict=True):
        candidates = usable[(usable <= t) & (t - usable <= tolerance)]
        assert (i == -1) == (len(candidates) == 0)
        assert i == -1 or stamp[i] == candidates.max()


@given(STAMPS)
def test_samples_that_go_back_in_time_are_not_used(stamp):
    assert (np.diff(stamp[rising(stamp)]) >= 0).all()


def test_of_equal_stamps_the_last_received_counts():
    assert match_past(np.array([5, 5, 5, 9]), np.array([6]), 10).tolist() == [2]


@given(st.integers(0, 10**18), st.integers(0, 10**10), st.sampled_from([30.0, 50.0, 60.0, 250.0]))
def test_grid_rises_and_does_not_drift(start, length, rate):
    instants = grid(start, start + length, rate)
    assert (np.diff(instants) > 0).all()
    assert instants[0] == start
    assert abs(int(instants[-1]) - start - round((len(instants) - 1) * 1e9 / rate)) <= 1
    assert instants[-1] <= start + length + 1


def test_grid_without_span_is_empty():
    assert len(grid(10, 5, 50.0)) == 0
