# SPDX-License-Identifier: Apache-2.0
"""The faults: every node killed, frozen, slowed down and flooded; jumps of the clock; rivals; an e-stop."""

from functools import partial
from typing import Any

from fault_bench import Bench
from fault_judge import Case
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Bool

from kata_model import Reason
from kata_msgs.msg import HumanFrames, TaskState
from kata_msgs.srv import DiscardEpisode, StartEpisode
from kata_nodes import qos
from kata_nodes.convert import to_time

__all__ = ["CLOCK_CASES", "NODE_CASES"]

_FROZEN = 0.6
"""How long a frozen node is frozen [s]: longer than every deadline."""


def kill(node: str, bench: Bench) -> None:
    bench.kill(node)


def freeze(node: str, bench: Bench, seconds: float = _FROZEN) -> None:
    bench.freeze(node)
    bench.wait(seconds)
    bench.thaw(node)


def slow(node: str, bench: Bench) -> None:
    """Give a node a quarter of the time, in slices."""
    for _ in range(6):
        freeze(node, bench, 0.12)
        bench.wait(0.04)


def flood(topic: str, message: Any, bench: Bench) -> None:
    """Publish a message 500 times a second for most of a second."""
    publisher = bench.node.create_publisher(type(message), topic, qos.STREAM)
    for _ in range(400):
        publisher.publish(message)
        bench.wait(0.002)
    bench.destroy(publisher)


def flood_with_last(topic: str, bench: Bench) -> None:
    """Flood with what the topic itself said last."""
    flood(topic, bench.newest(topic), bench)


def flood_with_nonsense(bench: Bench) -> None:
    last = bench.newest("command")
    last.position = [float("nan")] * len(last.names)
    last.header.stamp = to_time(bench.node.get_clock().now().nanoseconds)
    flood("target", last, bench)


def kill_while_recording(bench: Bench) -> None:
    bench.call(StartEpisode, "episode/start", StartEpisode.Request(task="a fault"))
    bench.wait(0.2)
    kill("recorder", bench)
    bench.call(DiscardEpisode, "episode/discard")  # the new one answers, and knows of no episode
    assert not [f for f in bench.bags.glob("episode_*") if f.name[-1].isdigit()], "half an episode looks like a whole one"


def rival(bench: Bench) -> None:
    """Command the robot beside the safety node, to stay where it was; the safety node sees that, not what is said."""
    last = bench.newest("command")
    last.velocity = [0.0] * len(last.names)
    flood("command", last, bench)


def press(bench: Bench) -> None:
    button = bench.node.create_publisher(Bool, "safety/estop", qos.EVENT)
    bench.until(lambda: button.get_subscription_count() == 1, 5.0)
    bench.started = bench.now()
    button.publish(Bool(data=True))
    bench.wait(0.3)
    button.publish(Bool(data=False))
    bench.wait(0.1)
    bench.destroy(button)


def jump(seconds: float, bench: Bench) -> None:
    bench.jump(seconds)


def restart_simulator(bench: Bench) -> None:
    bench.restart_simulator()


STALE = frozenset({Reason.STALE_TARGET})
BLIND = frozenset({Reason.STALE_STATE, Reason.LOST_STATE, Reason.NO_STATE, Reason.LOST_IMU})
JUMP = frozenset({Reason.CLOCK_JUMP})

SILENT_SOURCE, SILENT_ROBOT, LOOK, TICK = 84.0, 52.0, 24.0, 4.0
"""Times until it is noticed [ms]: an age of 80 and of 50 ms, a look every 20 ms, each seen in the tick after it."""

NODE_CASES = (
    Case("operator killed", partial(kill, "operator"), reasons=STALE, within=SILENT_SOURCE),
    Case("operator frozen", partial(freeze, "operator"), reasons=STALE, within=SILENT_SOURCE),
    Case("operator slowed", partial(slow, "operator"), reasons=STALE, within=SILENT_SOURCE),
    Case("operator flooded", partial(flood, "task/state", TaskState())),
    Case("retarget killed", partial(kill, "retarget"), reasons=STALE, within=SILENT_SOURCE),
    Case("retarget frozen", partial(freeze, "retarget"), reasons=STALE, within=SILENT_SOURCE),
    Case("retarget slowed", partial(slow, "retarget"), reasons=STALE, within=SILENT_SOURCE),
    Case("retarget flooded", partial(flood, "frames", HumanFrames(source="nobody"))),
    Case("policy killed", partial(kill, "policy"), "policy", STALE, SILENT_SOURCE),
    Case("policy frozen", partial(freeze, "policy"), "policy", STALE, SILENT_SOURCE),
    Case("policy slowed", partial(slow, "policy"), "policy", STALE, SILENT_SOURCE),
    Case("policy flooded", partial(flood, "task/state", TaskState()), "policy"),
    Case("robot killed", partial(kill, "sim"), reasons=BLIND, within=SILENT_ROBOT),
    Case("robot frozen", partial(freeze, "sim"), reasons=BLIND, within=SILENT_ROBOT),
    Case("robot slowed", partial(slow, "sim"), reasons=BLIND, within=SILENT_ROBOT),
    Case("robot flooded: rival commands", rival, reasons=frozenset({Reason.FOREIGN_COMMAND}), within=LOOK),
    Case("safety killed", partial(kill, "safety"), deaf=True),
    Case("safety frozen", partial(freeze, "safety", seconds=1.5), deaf=True),
    Case("safety slowed", partial(slow, "safety")),
    Case(
        "safety flooded: targets of NaN",
        flood_with_nonsense,
        reasons=frozenset({Reason.NOT_FINITE, Reason.TWO_SOURCES}),
        within=TICK,
    ),
    Case("safety flooded: joint states", partial(flood_with_last, "joint_states")),
    Case("recorder killed", kill_while_recording),
    Case("recorder frozen", partial(freeze, "recorder")),
    Case("recorder slowed", partial(slow, "recorder")),
    Case("recorder flooded", partial(flood, "camera/head/image_raw/compressed", CompressedImage(data=bytes(20_000)))),
    Case("emergency stop", press, reasons=frozenset({Reason.EMERGENCY_STOP}), within=TICK),
)

CLOCK_CASES = (
    Case("clock 5 s ahead", partial(jump, 5.0), reasons=JUMP, within=2 * TICK),
    Case("clock 2 s back", partial(jump, -2.0), reasons=JUMP, within=2 * TICK),
    Case("clock starts anew, with the simulator", restart_simulator, reasons=JUMP, within=2 * TICK),
)
