# SPDX-License-Identifier: Apache-2.0
"""Simulated against real time."""

import pytest

from kata_sim import Every, Pacer

MS = 1_000_000


@pytest.mark.parametrize("speed", [0.5, 1.0, 4.0])
def test_time_passes_at_the_speed_asked_for(speed: float) -> None:
    pacer = Pacer(0.004, speed)
    periods = sum(pacer.due(now) for now in range(0, 1001 * MS, MS))
    assert periods == pytest.approx(speed / 0.004, abs=5)
    assert pacer.lost == 0.0


def test_a_short_stall_is_made_up_for() -> None:
    pacer = Pacer(0.004, 1.0)
    pacer.due(0)
    assert [pacer.due(40 * MS + k) for k in range(4)] == [5, 5, 0, 0]


def test_a_long_stall_is_given_up() -> None:
    pacer = Pacer(0.004, 1.0)
    pacer.due(0)
    assert pacer.due(2000 * MS) == 1
    assert pacer.lost == pytest.approx(2.0, abs=0.01)


def test_speed_zero_never_waits() -> None:
    pacer = Pacer(0.004, 0.0)
    assert [pacer.due(0), pacer.due(0)] == [1, 1]


def test_every_keeps_to_its_grid() -> None:
    every = Every(50.0)
    assert [now for now in range(0, 100 * MS, 4 * MS) if every.due(now)] == [k * MS for k in (0, 20, 40, 60, 80)]


def test_every_at_rate_zero_is_never() -> None:
    assert not Every(0.0).due(10**12)
