# SPDX-License-Identifier: Apache-2.0
"""The faults: every node killed, frozen, slowed down and flooded; jumps of the clock; rivals; an e-stop."""

import signal
import time
from functools import partial
from typing import Any

from fault_bench import Bench, Case
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Bool
from std_srvs.srv import SetBool

from kata_core import Reason
from kata_msgs.msg import HumanFrames, TaskState
from kata_msgs.srv import DiscardEpisode, StartEpisode
from kata_nodes import qos
from kata_nodes.convert import from_time, to_time

__all__ = ["CLOCK_CASES", "NODE_CASES"]

_FROZEN = 0.6
"""How long a frozen node is frozen [s]: longer than every deadline."""


def kill(node: str, bench: Bench) -> None:
    bench.signal(node, signal.SIGKILL)


def freeze(node: str, bench: Bench, seconds: float = _FROZEN) -> None:
    bench.signal(node, signal.SIGSTOP)
    time.sleep(seconds)
    bench.signal(node, signal.SIGCONT)


def slow(node: str, bench: Bench) -> None:
    """Give a node a quarter of the time, in slices."""
    for _ in range(6):
        bench.signal(node, signal.SIGSTOP)
        time.sleep(0.12)
        bench.signal(node, signal.SIGCONT)
        time.sleep(0.04)


def flood(topic: str, message: Any, bench: Bench) -> None:
    """Publish a message 500 times a second for most of a second."""
    publisher = bench.observer.node.create_publisher(type(message), topic, qos.STREAM)
    end = time.monotonic() + 0.8
    while time.monotonic() < end:
        publisher.publish(message)
        time.sleep(0.002)
    bench.observer.destroy(publisher)


def flood_with_last(topic: str, bench: Bench) -> None:
    """Flood with what the topic itself said last."""
    flood(topic, bench.observer.last(topic), bench)


def flood_with_nonsense(bench: Bench) -> None:
    last = bench.observer.last("command")
    last.position = [float("nan")] * len(last.names)
    last.header.stamp = to_time(bench.observer.node.get_clock().now().nanoseconds)
    flood("target", last, bench)


def kill_while_recording(bench: Bench) -> None:
    bench.observer.call(StartEpisode, "episode/start", StartEpisode.Request(task="a fault"))
    time.sleep(0.2)
    kill("recorder", bench)
    bench.observer.call(DiscardEpisode, "episode/discard")  # the new one answers, and knows of no episode
    assert not [f for f in bench.bags.glob("episode_*") if f.name[-1].isdigit()], "half an episode looks like a whole one"


def rival(bench: Bench) -> None:
    """Command the robot beside the safety node, to stay where it was; the safety node sees that, not what is said."""
    last = bench.observer.last("command")
    last.velocity = [0.0] * len(last.names)
    flood("command", last, bench)


def press(bench: Bench) -> None:
    bench.button.publish(Bool(data=True))
    time.sleep(0.3)
    bench.button.publish(Bool(data=False))


def jump(seconds: float, bench: Bench) -> None:
    """Let the clock go on from another time for a while, the simulator's being paused, and then jump back."""
    publisher = bench.observer.node.create_publisher(Clock, "/clock", qos.STREAM)
    bench.observer.until(lambda: publisher.get_subscription_count() >= _ON_SIMULATED_TIME, 5.0)
    bench.observer.call(SetBool, "sim/set_pause", SetBool.Request(data=True))
    now = max(0, from_time(bench.observer.last("verdict").header.stamp) + round(seconds * 1e9))  # rclpy dies of a negative time
    bench.started = time.time_ns()
    for tick in range(60):
        publisher.publish(Clock(clock=to_time(now + tick * 4_000_000)))
        time.sleep(0.004)
    bench.observer.call(SetBool, "sim/set_pause", SetBool.Request(data=False))
    bench.observer.destroy(publisher)


_ON_SIMULATED_TIME = 5
"""Nodes that hear /clock: all but the simulator."""


def restart_simulator(bench: Bench) -> None:
    """Kill the simulator, and wait until another one begins at time 0."""
    kill("sim", bench)
    time.sleep(0.2)
    killed = time.time_ns()
    topics = ("joint_states", "verdict")
    bench.observer.until(lambda: all(bench.observer.last(topic, killed) is not None for topic in topics), 40.0)
    # Its first joint state may come some time before its clock goes on, and safety decides nothing while time stands still;
    # or it may be heard after the verdict on the clock.
    bench.started = min(bench.observer.first(topic, killed) for topic in topics) - 1


STALE = frozenset({Reason.STALE_TARGET})
BLIND = frozenset({Reason.STALE_STATE, Reason.LOST_STATE, Reason.NO_STATE, Reason.LOST_IMU})

NODE_CASES = (
    Case("operator killed", partial(kill, "operator"), reasons=STALE),
    Case("operator frozen", partial(freeze, "operator"), reasons=STALE),
    Case("operator slowed", partial(slow, "operator"), reasons=STALE),
    Case("operator flooded", partial(flood, "task/state", TaskState())),
    Case("retarget killed", partial(kill, "retarget"), reasons=STALE),
    Case("retarget frozen", partial(freeze, "retarget"), reasons=STALE),
    Case("retarget slowed", partial(slow, "retarget"), reasons=STALE),
    Case("retarget flooded", partial(flood, "frames", HumanFrames(source="nobody"))),
    Case("policy killed", partial(kill, "policy"), "policy", STALE),
    Case("policy frozen", partial(freeze, "policy"), "policy", STALE),
    Case("policy slowed", partial(slow, "policy"), "policy", STALE),
    Case("policy flooded", partial(flood, "task/state", TaskState()), "policy"),
    Case("robot killed", partial(kill, "sim"), reasons=BLIND),
    Case("robot frozen", partial(freeze, "sim"), reasons=BLIND),
    Case("robot slowed", partial(slow, "sim"), reasons=BLIND),
    Case("robot flooded: rival commands", rival, reasons=frozenset({Reason.FOREIGN_COMMAND})),
    Case("safety killed", partial(kill, "safety"), deaf=True),
    Case("safety frozen", partial(freeze, "safety", seconds=1.5), deaf=True),
    Case("safety slowed", partial(slow, "safety")),
    Case("safety flooded: targets of NaN", flood_with_nonsense, reasons=frozenset({Reason.NOT_FINITE, Reason.TWO_SOURCES})),
    Case("safety flooded: joint states", partial(flood_with_last, "joint_states")),
    Case("recorder killed", kill_while_recording),
    Case("recorder frozen", partial(freeze, "recorder")),
    Case("recorder slowed", partial(slow, "recorder")),
    Case("recorder flooded", partial(flood, "camera/head/image_raw/compressed", CompressedImage(data=bytes(20_000)))),
    Case("emergency stop", press, reasons=frozenset({Reason.EMERGENCY_STOP})),
)

CLOCK_CASES = (
    Case("clock 5 s ahead", partial(jump, 5.0), reasons=frozenset({Reason.CLOCK_JUMP})),
    Case("clock 2 s back", partial(jump, -2.0), reasons=frozenset({Reason.CLOCK_JUMP})),
    Case("clock starts anew, with the simulator", restart_simulator, reasons=frozenset({Reason.CLOCK_JUMP})),
)
