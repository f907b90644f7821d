# SPDX-License-Identifier: Apache-2.0
"""Several emergency stops on one topic: no button releases another's press."""

from kata_safety import StopButtons

MS = 1_000_000


def test_a_press_stays_until_it_is_released() -> None:
    button = StopButtons(0.3)
    assert not button.pressed(0)
    button.hear(False, 0)
    assert not button.pressed(MS)
    button.hear(True, 10 * MS)
    assert button.pressed(3_600_000 * MS), "heard once, released never"
    button.hear(False, 3_600_000 * MS)
    assert not button.pressed(3_600_000 * MS)
    button.hear(True, 3_600_100 * MS)
    assert button.pressed(3_600_100 * MS), "pressed again"


def test_who_says_false_all_the_time_releases_nobody_who_holds_on() -> None:
    button = StopButtons(0.3)
    for now in range(0, 5000, 20):
        button.hear(False, now * MS)
        if now % 100 == 0:
            button.hear(True, now * MS)
        assert button.pressed(now * MS)
    for now in range(5000, 5180, 20):
        button.hear(False, now * MS)
        assert button.pressed(now * MS), "a press counts for a while whatever else is heard"
    assert not button.pressed(5300 * MS)
