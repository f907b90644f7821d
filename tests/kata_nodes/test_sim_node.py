# SPDX-License-Identifier: Apache-2.0
"""The simulated robot on real ROS topics."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.ros


@pytest.fixture
def graph(ros_domain: int) -> Iterator[Any]:
    """Return the simulator and a listener, spun by one executor, as fast as they can go."""
    import rclpy
    from rclpy.executors import SingleThreadedExecutor

    from kata_nodes.sim.sim_node import SimNode

    args = ["--ros-args", "-p", "speed:=0.0", "-p", "camera_rate:=10.0", "-p", "seed:=4"]
    rclpy.init(args=args, domain_id=ros_domain)
    sim, probe = SimNode(), rclpy.create_node("probe")
    executor = SingleThreadedExecutor()
    for node in (sim, probe):
        executor.add_node(node)
    yield sim, probe, executor
    for node in (sim, probe):
        node.destroy_node()
    rclpy.shutdown()


def until(executor: Any, done: Callable[[], bool]) -> None:
    """Spin until something holds, or fail after 20 s."""
    end = time.monotonic() + 20.0
    while not done():
        assert time.monotonic() < end, "it never came"
        executor.spin_once(timeout_sec=0.1)


def test_it_publishes_what_a_robot_does(graph: Any) -> None:
    from rosgraph_msgs.msg import Clock
    from sensor_msgs.msg import CompressedImage, Image, Imu, JointState

    from kata_msgs.msg import TaskState
    from kata_nodes import qos

    _, probe, executor = graph
    topics = {
        "/clock": Clock,
        "joint_states": JointState,
        "imu": Imu,
        "task/state": TaskState,
        "camera/head/image_raw": Image,
        "camera/head/image_raw/compressed": CompressedImage,
    }
    heard: dict[str, list[Any]] = {topic: [] for topic in topics}
    for topic, kind in topics.items():
        probe.create_subscription(kind, topic, heard[topic].append, qos.STREAM)
    until(executor, lambda: all(len(messages) > 1 for messages in heard.values()))
    clock = [m.clock.sec + 1e-9 * m.clock.nanosec for m in heard["/clock"]]
    assert (np.diff(clock) > 0.0).all()
    assert len(heard["joint_states"][0].name) == 29
    assert [body.name for body in heard["task/state"][0].objects] == ["goal"]
    raw = heard["camera/head/image_raw"][0]
    assert (raw.height, raw.width, raw.encoding, len(raw.data)) == (240, 320, "rgb8", 240 * 320 * 3)
    assert bytes(heard["camera/head/image_raw/compressed"][0].data[:2]) == b"\xff\xd8"


def test_it_obeys_commands_and_refuses_foreign_ones(graph: Any) -> None:
    from sensor_msgs.msg import JointState

    from kata_model import JointCommand, load_robot
    from kata_msgs.msg import JointCommand as JointCommandMsg
    from kata_nodes import qos
    from kata_nodes.convert import JointConverter

    _, probe, executor = graph
    robot = load_robot("g1")
    state: list[Any] = []
    probe.create_subscription(JointState, "joint_states", state.append, qos.LATEST)
    publisher = probe.create_publisher(JointCommandMsg, "command", qos.STREAM)
    wanted = np.array(robot.rest)
    elbow = robot.layout.indices(["left_elbow_joint"])[0]
    wanted[elbow] += 0.4
    message = JointConverter(robot.layout).command_to(JointCommand.at(0, wanted, robot.stiffness, robot.damping))

    def there() -> bool:
        publisher.publish(JointCommandMsg(names=["tail"], position=[1.0]))
        publisher.publish(message)
        return bool(state) and abs(state[-1].position[elbow] - wanted[elbow]) < 0.1

    until(executor, there)


def test_reset_pause_and_new_goals(graph: Any) -> None:
    from std_srvs.srv import SetBool, Trigger

    from kata_nodes.services import Services

    sim, probe, executor = graph
    services = Services(probe, {})

    def call(kind: Any, name: str, **fields: Any) -> Any:
        services.know(name, kind)
        question = services.ask(name, kind.Request(**fields))
        until(executor, lambda: question.look() is not None)
        return question.answer

    goals = [sim._simulation.objects()["goal"]]
    for name in ("sim/reset_world", "task/reset"):
        assert call(Trigger, name).success
        goals.append(sim._simulation.objects()["goal"])
    assert len({tuple(goal) for goal in goals}) == 3
    assert call(SetBool, "sim/set_pause", data=True).message == "paused"
    paused = sim._simulation.time
    for _ in range(20):
        executor.spin_once(timeout_sec=0.01)
    assert sim._simulation.time == paused
    assert call(SetBool, "sim/set_pause", data=False).message == "running"
    until(executor, lambda: sim._simulation.time > paused)
