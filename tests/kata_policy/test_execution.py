# SPDX-License-Identifier: Apache-2.0
"""Chunks become one motion: on time however late they come, and without a jump where they meet."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kata_policy.execution import ChunkExecutor, ExecutionConfig
from kata_policy.running.ending import Ending, EndingConfig

HORIZON = 8


def ramp(start: int, offset: float = 0.0) -> np.ndarray:
    """A chunk whose action for step s is s / 100 + offset."""
    return ((start + np.arange(HORIZON)) / 100 + offset)[:, None]


@pytest.mark.parametrize("mode", ["ensemble", "receding"])
@pytest.mark.parametrize("late", [0, 1, 3, HORIZON - 1])
def test_a_late_chunk_is_taken_up_where_time_has_come_to(mode: str, late: int) -> None:
    executor = ChunkExecutor(ExecutionConfig(mode=mode))
    executor.push(ramp(10), 10, 10 + late)
    assert executor.action(10 + late) == pytest.approx([(10 + late) / 100])


@pytest.mark.parametrize("mode", ["ensemble", "receding"])
def test_beyond_its_end_a_chunk_says_nothing(mode: str) -> None:
    executor = ChunkExecutor(ExecutionConfig(mode=mode))
    assert executor.action(0) is None
    executor.push(ramp(0), 0, 0)
    assert executor.action(HORIZON - 1) is not None
    assert executor.action(HORIZON) is None


def test_an_ensemble_weighs_as_the_paper_does() -> None:
    executor = ChunkExecutor(ExecutionConfig(decay=0.5))
    for step in range(3):
        executor.push(np.full((HORIZON, 1), float(step)), step, step)
    weights = np.exp(-0.5 * np.arange(3))
    assert executor.action(2) == pytest.approx([weights @ np.arange(3.0) / weights.sum()])


def test_a_new_chunk_is_asked_for_when_the_last_has_run_its_steps() -> None:
    executor = ChunkExecutor(ExecutionConfig(mode="receding", replan=4))
    asked = []
    for step in range(10):
        if executor.wants(step):
            executor.ask(step)
            asked.append(step)
    assert asked == [0, 4, 8]


def run_ensemble(executor: ChunkExecutor, chunks: list[np.ndarray]) -> list[float]:
    """Push one chunk each step, as an MLP does; return the actions."""
    actions = []
    for step, chunk in enumerate(chunks):
        executor.push(chunk, step, step)
        actions.append(float(executor.action(step)[0]))
    return actions


def test_agreeing_chunks_blend_to_themselves() -> None:
    actions = run_ensemble(ChunkExecutor(ExecutionConfig(decay=0.1)), [ramp(step) for step in range(10)])
    assert actions == pytest.approx([step / 100 for step in range(10)])


def test_a_chunk_that_disagrees_moves_an_ensemble_by_its_share() -> None:
    executor = ChunkExecutor(ExecutionConfig(decay=0.0))
    actions = run_ensemble(executor, [np.zeros((HORIZON, 1))] * HORIZON + [np.ones((HORIZON, 1))])
    assert actions[-1] - actions[-2] == pytest.approx(1 / HORIZON)
    executor.clear()
    assert run_ensemble(executor, [np.ones((HORIZON, 1))]) == [1.0]


offsets = st.lists(st.tuples(st.integers(1, 6), st.integers(0, 3), st.floats(-1.0, 1.0)), min_size=1, max_size=12)


@given(offsets, st.integers(0, 6))
def test_a_seam_moves_the_action_by_its_share_alone(plans: list[tuple[int, int, float]], blend: int) -> None:
    executor = ChunkExecutor(ExecutionConfig(mode="receding", blend=blend))
    executor.push(ramp(0), 0, 0)
    now = 0
    for apart, late, offset in plans:
        now += apart
        start, before = max(0, now - late), executor.action(now)
        executor.push(ramp(start, offset), start, now)
        after, new = executor.action(now), now / 100 + offset
        assert after is not None
        if before is None:  # the last chunk had come to its end, and its last action is where the new one takes over
            continue
        assert after - before == pytest.approx((new - before) / (blend + 1), abs=1e-9)
        faded = executor.action(now + blend)
        assert faded is None or faded == pytest.approx([new + blend / 100]), "the seam outlives its steps"


def test_an_episode_ends_with_a_hold_and_a_slow_way_to_rest() -> None:
    config = EndingConfig(hold_time=1.0, return_velocity=0.5)
    ending = Ending(config, np.array([1.0, -0.2]), np.zeros(2), since=5_000_000_000)
    times = np.arange(5_000_000_000, 12_000_000_000, 20_000_000)
    path = np.array([ending.position(int(t)) for t in times])
    assert (path[times <= 6_000_000_000] == [1.0, -0.2]).all(), "it does not hold"
    assert np.abs(np.diff(path, axis=0)).max() / 0.02 <= 0.5 + 1e-6, "it returns faster than it may"
    assert not ending.over(6_000_000_000)
    assert ending.over(12_000_000_000)
    assert path[-1] == pytest.approx([0.0, 0.0])
