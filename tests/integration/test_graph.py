# SPDX-License-Identifier: Apache-2.0
"""The graph starts, has one publisher of commands, holds when its source dies, and ends without a trace."""

import os
import signal

import pytest
from std_srvs.srv import SetBool, Trigger

from kata_core import Reason
from kata_msgs.msg import HumanFrames, JointCommand, TaskState, Verdict

pytestmark = [pytest.mark.ros, pytest.mark.slow]


def statuses(heard):
    return {message.status for _, message in heard}


def test_one_publisher_of_commands_and_a_clean_end(launch, probe):
    graph = launch("teleop", "camera_rate:=0", "console:=false")
    verdicts, commands = probe.hear(Verdict, "verdict"), probe.hear(JointCommand, "command")
    frames, tasks = probe.hear(HumanFrames, "frames"), probe.hear(TaskState, "task/state")
    assert probe.until(lambda: all(len(heard) > 20 for heard in (verdicts, commands, frames, tasks)), 60.0), graph.output
    assert [p.node_name for p in probe.node.get_publishers_info_by_topic("command")] == ["safety"]
    # A busy machine may delay joint states for a moment, which is held; anything else before a deliberate engage is a fault.
    unready = {Reason.NO_STATE, Reason.STALE_STATE, Reason.CLOCK_JUMP}
    assert {v.status for _, v in verdicts if not unready & set(v.reasons)} == {Verdict.STANDBY}
    assert not [v.reasons for _, v in verdicts if v.status == Verdict.HOLDING and not set(v.reasons) <= unready]
    assert statuses(verdicts) <= {Verdict.STANDBY, Verdict.HOLDING}, "nothing may be followed before a deliberate engage"
    assert graph.stop() == 0, graph.output
    assert graph.orphans() == []
    assert "Traceback" not in graph.output


def test_a_source_that_dies_is_held_within_100_ms(launch, probe, report):
    robot, graph = launch("sim", "camera_rate:=0"), launch("parts/source_operator")
    verdicts, frames = probe.hear(Verdict, "verdict"), probe.hear(HumanFrames, "frames")
    following = (Verdict.FOLLOWING, Verdict.LIMITED)
    assert probe.until(lambda: len(verdicts) > 20 and len(frames) > 20, 60.0), robot.output + graph.output
    assert probe.until(lambda: probe.call(SetBool, "operator/engage", SetBool.Request(data=True)).success, 30.0)
    assert probe.until(lambda: verdicts[-1][1].status in following, 20.0), graph.output
    os.kill(graph.pid_of("operator"), signal.SIGKILL)
    probe.until(lambda: False, 1.5)
    last = stamp_of(frames[-1][1])
    after = [(stamp_of(v) - last, v.status) for _, v in verdicts if stamp_of(v) > last]
    held = next(age for age, status in after if status == Verdict.HOLDING)
    report(f"held {held * 1e-6:.0f} ms after the last sample of the source")
    assert not [age for age, status in after if age > 100e6 and status in following]
    assert verdicts[-1][1].status == Verdict.HOLDING
    assert verdicts[-1][1].reasons == ["stale_target"]
    assert graph.process.wait(30) != 0, "a source that died is a failure of its launch"
    assert robot.stop() == 0, "and not of the robot's"


def test_stop_and_reset(launch, probe):
    launch("sim", "camera_rate:=0")
    verdicts, commands = probe.hear(Verdict, "verdict"), probe.hear(JointCommand, "command")
    assert probe.until(lambda: len(commands) > 20, 60.0)
    assert probe.call(Trigger, "safety/stop", Trigger.Request()).success
    assert probe.until(lambda: verdicts[-1][1].status == Verdict.STOPPED, 5.0)
    assert probe.until(lambda: max(commands[-1][1].stiffness) == 0.0 < min(commands[-1][1].damping), 5.0)
    assert probe.call(Trigger, "safety/reset", Trigger.Request()).success
    assert probe.until(lambda: verdicts[-1][1].status == Verdict.STANDBY, 5.0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("teleop", "speeed:=2"), "unknown argument 'speeed'"),
        (("deploy",), "argument 'policy' has no value"),
        (("record", "source:=ghost"), "source_ghost"),
        (("teleop", "source:=mocap"), "argument 'clip' has no value"),
    ],
)
def test_mistakes_are_one_line(launch, arguments, words):
    graph = launch(*arguments)
    assert graph.process.wait(60) == 2
    assert words in graph.output
    assert len(graph.output.strip().splitlines()) == 1


def test_a_missing_clip_ends_the_graph_with_one_line(launch):
    graph = launch("teleop", "source:=mocap", "clip:=nowhere.bvh", "camera_rate:=0", "console:=false")
    assert graph.process.wait(90) != 0
    said = [line for line in graph.output.splitlines() if line.startswith("[mocap]")]
    assert len(said) == 1
    assert "nowhere.bvh" in said[0]
    assert graph.orphans() == []


def stamp_of(message):
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
