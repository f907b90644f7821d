# SPDX-License-Identifier: Apache-2.0
"""Whatever fails around the safety tick, the robot is damped from then on, by whatever still works."""

import pytest

from kata_safety import LastResort


class Robot:
    """Notes what it is told; each part may be broken."""

    def __init__(self, broken: str = "") -> None:
        self.broken, self.done, self.log = broken, [], []
        self.guard = LastResort([lambda: self.do("command"), lambda: self.do("verdict")], self.tell)

    def do(self, part: str) -> None:
        if part == self.broken:
            raise OSError(f"no {part}")
        self.done.append(part)

    def tell(self, text: str) -> None:
        if self.broken == "log":
            raise OSError("no log")
        self.log.append(text)


def fail() -> None:
    raise ValueError("of two\nlines")


def test_after_a_failure_nothing_is_done_but_damping() -> None:
    robot = Robot()
    robot.guard.tick(lambda: robot.do("work"))
    robot.guard.tick(fail)
    assert robot.done == ["work", "command", "verdict"], "damped at once"
    robot.guard.tick(lambda: robot.do("work"))
    assert robot.done == ["work", *2 * ["command", "verdict"]]
    assert robot.log == [robot.guard.fault]
    assert robot.guard.fault.startswith("ValueError: of two lines (test_last_resort.py:") and "fail" in robot.guard.trace


@pytest.mark.parametrize("broken", ["command", "verdict", "log"])
def test_what_still_works_goes_on(broken: str) -> None:
    robot = Robot(broken)
    for _ in range(3):
        robot.guard.tick(fail)
    assert robot.done == 3 * [part for part in ("command", "verdict") if part != broken]
    assert len(robot.log) == (0 if broken == "log" else 1 if broken not in ("command", "verdict") else 2), "each failure once"
    robot.broken = ""
    robot.guard.tick(fail)
    assert robot.done[-2:] == ["command", "verdict"], "what works again is used again"


def test_a_callback_that_fails_damps_and_the_others_are_still_called() -> None:
    robot = Robot()
    hear, clock = robot.guard.around(lambda message: fail()), robot.guard.around(lambda message: robot.do(message))
    assert hear("state") is None and robot.done == ["command", "verdict"]
    clock("clock")
    assert robot.done[-1] == "clock", "time goes on, for damping ticks by it"


def test_a_signal_is_no_failure() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    robot = Robot()
    with pytest.raises(KeyboardInterrupt):
        robot.guard.tick(interrupted)
    assert robot.done == [] and not robot.guard.fault
