# SPDX-License-Identifier: Apache-2.0
"""The safety node in one process: faults at every call of a tick, emergency stops, joint states in parts."""

import inspect
import itertools
import sys
from collections.abc import Callable, Iterator
from time import monotonic_ns
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.ros

TICK = 4_000_000


class InjectedError(Exception):
    """What is made to go wrong."""


class Bench:
    """A safety node that nobody spins: what it would hear is handed to its callbacks, what it publishes is kept."""

    def __init__(self, node: Any, sent: dict[str, list[Any]]) -> None:
        from rclpy.time import Time

        from kata_model import load_robot
        from kata_nodes.convert import JointConverter

        self.node, self.sent, self.robot = node, sent, load_robot("g1")
        self.joints = JointConverter(self.robot.layout)
        self.goal, self.now = np.array(self.robot.upper), 10**12
        node.get_clock = lambda: SimpleNamespace(now=lambda: Time(nanoseconds=self.now))
        node.damper._clock = node.get_clock()
        begun = monotonic_ns() - self.now
        node._alarms._steady = lambda: begun + self.now

    def hear(self, topic: str, message: Any) -> None:
        """Call back whoever subscribed to a topic."""
        next(s for s in self.node.subscriptions if s.topic_name.endswith(topic)).callback(message)

    def call(self, name: str) -> Any:
        """Call a service of std_srvs/Trigger."""
        from std_srvs.srv import Trigger

        service = next(s for s in self.node.services if s.srv_name.endswith(name))
        return service.callback(Trigger.Request(), Trigger.Response())

    def measure(self) -> None:
        """Let the robot be where it was told to be, and somebody wish for more than it can do."""
        from kata_model import JointCommand, JointState

        now, still = self.now, np.zeros(len(self.robot.layout))
        at = np.array(self.sent["/command"][-1].position) if self.sent["/command"] else self.robot.rest
        self.hear("/joint_states", self.joints.state_to(JointState(now, at, still, still)))
        target = JointCommand.at(now, at + np.clip(self.goal - at, -1.0, 1.0), self.robot.stiffness, self.robot.damping)
        self.hear("/target", self.joints.command_to(target))

    def tick(self) -> None:
        """Let the node's timer be due."""
        self.now += TICK
        self.node._tick()

    @property
    def limp(self) -> bool:
        """Whether the last command only damps."""
        command = self.sent["/command"][-1]
        return not np.any(command.stiffness) and np.all(np.array(command.damping) > 0.0) and not np.any(command.effort)


@pytest.fixture
def bench(ros_domain: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    import rclpy
    from rclpy.publisher import Publisher

    from kata_nodes.safety.safety_node import SafetyNode

    rclpy.init(args=["--ros-args", "-p", "priority:=0"], domain_id=ros_domain)
    sent: dict[str, list[Any]] = {"/command": [], "/verdict": []}
    node = SafetyNode()
    monkeypatch.setattr(Publisher, "publish", lambda self, message: sent.setdefault(self.topic_name, []).append(copied(message)))
    yield Bench(node, sent)
    node.destroy_node()
    rclpy.try_shutdown()


def copied(message: Any) -> Any:
    from rclpy.serialization import deserialize_message, serialize_message

    return deserialize_message(serialize_message(message), type(message))


class Fault:
    """Does some work in which the n-th call of all, of Python and C, raises."""

    def __init__(self, call: int, work: Callable[[], Any]) -> None:
        self.left, self.work, self.what = call, work, ""

    def __call__(self) -> None:
        sys.setprofile(self._count)
        try:
            self.work()
        finally:
            sys.setprofile(None)

    def _count(self, frame: Any, event: str, argument: Any) -> None:
        code = frame.f_code
        # Not in C code that does not look (numba's, of an argument's type), nor where a generator is thrown away.
        blind = "/numba/" in code.co_filename or (event == "call" and code.co_flags & inspect.CO_GENERATOR)
        if event in ("call", "c_call") and not blind:
            self.left -= 1
            if self.left == 0:
                self.what = code.co_qualname if event == "call" else argument.__qualname__
                raise InjectedError(self.what)


def test_whatever_call_of_a_tick_fails_the_robot_is_damped(bench: Bench) -> None:
    """An exception in a kernel, the solver or a conversion ended the process with the robot stiff and moving."""
    from kata_msgs.msg import Verdict

    node, resort, failed, swallowed = bench.node, bench.node.last_resort, set(), set()
    for _ in range(30):
        bench.measure()
        bench.tick()
    assert bench.sent["/verdict"][-1].status == Verdict.LIMITED and not bench.limp
    following, then = node._filter.state, bench.now
    for call in itertools.count(1):
        resort.fault = ""  # as after a new start, but for what the fault left half done
        node._filter.state, bench.now = following, then  # which is nothing in the filter; and this tick follows, too
        bench.measure()
        before, told, fault = len(bench.sent["/command"]), len(bench.sent["/verdict"]), Fault(call, node._decide)
        bench.now += TICK
        resort.tick(fault)
        if not fault.what:
            break
        if not resort.fault:  # C code looks whether there is an attribute, and goes on without
            assert len(bench.sent["/verdict"]) > told and not bench.limp, fault.what
            swallowed.add(fault.what)
            continue
        failed.add(fault.what)
        assert len(bench.sent["/command"]) > before and bench.limp, f"{fault.what}: {resort.fault}"
        bench.tick()
        last = bench.sent["/verdict"][-1]
        assert bench.limp and (last.status, list(last.reasons)) == (Verdict.STOPPED, ["internal_fault"]), "it goes on damping"
    assert len(swallowed) <= 2, swallowed
    assert failed > {
        "SafetyFilter.step",
        "QPFilter._nearest",
        "JointConverter.command_to",
        "JointConverter.verdict_to",
        "Health.note",
    }
    assert len(failed) > 60, failed


@pytest.mark.parametrize(
    "broken", ["JointStates.hear", "JointConverter.command_from", "Alarms.look_for_rivals", "Alarms.tick", "Health._loop_status"]
)
def test_whatever_is_called_back_and_fails_damps(bench: Bench, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    from kata_model import joint_states
    from kata_nodes import convert
    from kata_nodes.safety import alarms, health

    def fail(*given: Any) -> None:
        raise InjectedError(broken)

    bench.measure()
    bench.tick()
    assert not bench.limp
    owner, name = broken.split(".")
    found = next(getattr(module, owner) for module in (joint_states, alarms, convert, health) if hasattr(module, owner))
    monkeypatch.setattr(found, name, fail)
    bench.measure()
    for timer in bench.node.timers:
        timer.callback()
    assert bench.limp and broken in bench.node.last_resort.fault
    answer = bench.call("/reset")
    assert not answer.success and "started again" in answer.message
    assert bench.call("/stop").success and bench.limp


def test_leaving_damps_what_was_commanded_and_nothing_else(bench: Bench) -> None:
    bench.node.damper.leave("")
    assert bench.sent["/command"] == [], "a node that never commanded has nothing to let go of"
    bench.measure()
    bench.tick()
    bench.node.damper.leave("")
    assert bench.limp and list(bench.sent["/verdict"][-1].reasons) == ["leaving"]


def test_a_press_between_two_ticks_stops_though_it_is_released_at_once(bench: Bench) -> None:
    """The topic was a level, and the last writer won."""
    from std_msgs.msg import Bool

    bench.measure()
    bench.tick()
    for pressed in (True, False):
        bench.hear("/safety/estop", Bool(data=pressed))
    assert bench.limp and "emergency_stop" in bench.sent["/verdict"][-1].reasons, "not even the next tick is waited for"


def test_a_button_that_is_not_pressed_releases_no_other(bench: Bench) -> None:
    from std_msgs.msg import Bool

    def pass_time(*said: bool) -> Any:
        for _ in range(100):
            for pressed in said:
                bench.hear("/safety/estop", Bool(data=pressed))
            bench.measure()
            bench.tick()
        return bench.call("/reset")

    answer = pass_time(True, False)  # the console's, that repeats its press, and one of hardware
    assert not answer.success and "emergency_stop" in answer.message
    assert pass_time(False).success
    bench.measure()
    bench.tick()
    assert not bench.limp


def test_joint_states_in_parts_are_followed_and_a_driver_that_is_late_is_named(bench: Bench) -> None:
    """A message that lacked one joint stopped it, be it a gripper's."""
    from sensor_msgs.msg import JointState as JointStateMsg

    from kata_model import JointCommand
    from kata_msgs.msg import Verdict
    from kata_nodes.convert import to_time

    names, position, legs, arms = bench.robot.layout.names, bench.robot.rest, slice(0, 12), slice(12, 29)

    def hear(where: slice, late: int = 0) -> None:
        part = JointStateMsg(name=list(names[where]), position=position[where].tolist())  # its driver measures no velocity
        part.header.stamp = to_time(bench.now - late)
        bench.hear("/joint_states", part)

    def tick() -> Any:
        bench.hear("/joint_states", JointStateMsg(name=["finger"], position=[0.1]))
        target = JointCommand.at(bench.now, position, bench.robot.stiffness, bench.robot.damping)
        bench.hear("/target", bench.joints.command_to(target))
        bench.tick()
        return bench.sent["/verdict"][-1]

    hear(legs)
    assert list(tick().reasons) == ["no_state"]
    for where in (arms, legs, arms, legs):
        hear(where)
        assert tick().status in (Verdict.FOLLOWING, Verdict.LIMITED)
    assert bench.node._measured._said, "that velocities are made of positions, once"
    hear(arms, late=100_000_000)
    last = tick()
    assert list(last.reasons) == ["stale_state"]
    assert [n for n, flags in zip(last.names, last.joint_flags, strict=True) if flags & 32] == list(names[arms])
