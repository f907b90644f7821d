# SPDX-License-Identifier: Apache-2.0
"""A recording is taken up from its middle: what the filter remembered is found out, or said to be unknown."""

import numpy as np
import pytest

from kata_model.joints import JointCommand, JointState
from kata_model.verdict import Reason, Status
from kata_safety import Received, SafetyConfig, SafetyFilter
from kata_safety.replay import replay, same_verdict

TICK = 4_000_000


class Recording:
    """Verdicts on targets of an uneven 30 Hz source, with a hold in between, followed by a robot that keeps up."""

    def __init__(self, robot, seed: int, *, told: bool) -> None:
        rng, rest = np.random.default_rng(seed), np.zeros(len(robot.layout))
        self.robot, self.verdicts, self.states, self.targets = robot, [], {}, {}
        safety, now, due, target = SafetyFilter(robot, SafetyConfig()), 10**9, 10**9 + 20 * TICK, None
        goal, speed, measured = np.array(robot.rest), np.array(rest), JointState(now, robot.rest, rest, rest)
        for i in range(600):
            now += TICK
            if now >= due and not 300 <= i < 350:
                speed += rng.normal(0.0, 0.05, len(goal)) - 0.1 * speed
                goal = goal + speed / 30.0
                command = JointCommand(now - TICK // 2, goal, np.array(speed) if told else rest, rest, rest, rest)
                target, due = Received(command, now), now + int(rng.uniform(20e6, 45e6))
                self.targets[command.stamp] = command
            self.states[measured.stamp] = measured
            verdict = safety.step(measured, target, now)
            self.verdicts.append(verdict)
            measured = JointState(now, verdict.command.position, verdict.command.velocity, rest)

    def taken_up(self, first: int) -> int | None:
        """Replay from the first verdict on; return how many it takes until all is known, None if that never happens."""
        safety = SafetyFilter(self.robot, SafetyConfig())
        memory = safety.recollect()
        for count, verdict in enumerate(self.verdicts[first:]):
            if memory.note(verdict, self.targets.get(verdict.source_stamp)):
                safety.resume(verdict, memory)
                rest = self.verdicts[first + count + 1 :][:120]
                again = replay(safety, rest, self.states, self.targets)
                assert all(same_verdict(a, b) for a, b in zip(rest, again, strict=True)), (first, count)
                return count
        return None


@pytest.mark.parametrize("told", [False, True], ids=["positions", "with velocities"])
def test_a_recording_is_taken_up_bit_for_bit_wherever_it_begins(g1, told):
    recording = Recording(g1, 11, told=told)
    assert {Status.STANDBY, Status.HOLDING, Status.FOLLOWING} <= {v.status for v in recording.verdicts}
    assert [recording.taken_up(first) for first in (0, 10)] == [0, 0], "nothing is remembered before the first target"
    counts = [recording.taken_up(first) for first in range(20, 400, 20)]
    assert None not in counts
    assert max(counts) < (60 if told else 300), counts


def test_what_a_hold_remembers_is_unknown_until_something_was_followed(g1):
    recording = Recording(g1, 5, told=False)
    held = next(i for i, v in enumerate(recording.verdicts) if Reason.STALE_TARGET in v.reasons)
    assert recording.taken_up(held) > 10
    assert recording.taken_up(held - 1) == 1
