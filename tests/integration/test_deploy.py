# SPDX-License-Identifier: Apache-2.0
"""A policy file and a recorded episode, each in the place of a person: the same targets through the same filter."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from mcap_ros2.reader import read_ros2_messages
from onnx import TensorProto, helper, numpy_helper
from rclpy.serialization import serialize_message
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import SetBool

from kata_data.bags.bag_writer import BagWriter
from kata_data.bags.definitions import BagTopic
from kata_model import JointCommand, load_robot
from kata_msgs.msg import JointCommand as JointCommandMsg
from kata_msgs.msg import TaskState, Verdict
from kata_nodes import qos
from kata_nodes.convert import JointConverter, from_time
from kata_nodes.interfaces import message_type
from kata_policy import CONTRACT_KEY, MonitorSpec, PolicyContract
from kata_policy.calibration import distance_scores, make_levels, whiten
from kata_policy.observation import CameraSpec, TermSpec

pytestmark = [pytest.mark.ros, pytest.mark.slow]

HORIZON = 5
BEND = 0.6
"""Elbow angle that the policy below brings the robot to [rad]."""

ELBOW = "right_elbow_joint"
FOLLOWED = (Verdict.FOLLOWING, Verdict.LIMITED)

WARY = """<launch>
  <arg name="time" default="lockstep"/>
  <node pkg="kata_nodes" exec="policy" name="policy">
    <param name="use_sim_time" value="true"/>
    <param name="policy" value="{policy}"/>
    <param name="doubt_time" value="{doubt_time}"/>
    <remap from="task/state" to="moved/state"/>
  </node>
</launch>
"""
"""The policy sees the ball where the test says."""


_DAWDLE = (
    helper.make_node("ConstantOfShape", ["size"], ["square"]),
    helper.make_node("ReduceMax", ["now"], ["some"], keepdims=0),
    helper.make_node("Add", ["square", "some"], ["full"]),
    helper.make_node("MatMul", ["full", "full"], ["product"]),
    helper.make_node("ReduceMax", ["product"], ["most"], keepdims=0),
    helper.make_node("Mul", ["most", "zero"], ["nothing"]),
)
"""Some 31 GFLOP for the number zero."""


def _watch(camera: CameraSpec) -> tuple[onnx.NodeProto, ...]:
    """Return nodes that look at a picture for the number zero."""
    return (
        helper.make_node("Cast", [camera.input], ["picture"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", ["picture"], ["most"], keepdims=0),
        helper.make_node("Mul", ["most", "zero"], ["nothing"]),
    )


@pytest.fixture(scope="module")
def robot():
    return load_robot("g1")


def write_policy(
    path: Path,
    robot,
    *,
    sees: tuple[TermSpec, ...] = (),
    monitor: MonitorSpec | None = None,
    camera: CameraSpec | None = None,
    slow: bool = False,
) -> None:
    """Write a policy that bends the right elbow, whatever it sees, and leaves the shoulder where it is.

    A slow one multiplies large matrices before it answers, for longer than its chunk lasts.
    """
    idle = _DAWDLE if slow else _watch(camera) if camera else ()
    joints = ("right_shoulder_pitch_joint", "right_elbow_joint")
    terms = (TermSpec("joint_position", (2,)), *sees)
    index = robot.layout.indices(joints)
    chunk = np.tile(np.array([0.0, BEND], np.float32), (1, HORIZON, 1))
    keep = np.tile(np.array([1.0, 0.0], np.float32), (1, HORIZON, 1))
    nodes = [
        helper.make_node("Unsqueeze", ["joint_position", "axis"], ["now"]),
        helper.make_node("Mul", ["now", "keep"], ["kept"]),
        *idle,
        helper.make_node("Sum", ["kept", "chunk", *(["nothing"] if idle else ())], ["action"]),
    ]
    pictures = [helper.make_tensor_value_info(camera.input, TensorProto.UINT8, ["batch", *camera.shape])] if camera else []
    graph = helper.make_graph(
        nodes,
        "bend",
        [helper.make_tensor_value_info(term.name, TensorProto.FLOAT, ["batch", *term.shape]) for term in terms] + pictures,
        [helper.make_tensor_value_info("action", TensorProto.FLOAT, ["batch", HORIZON, 2])],
        [
            numpy_helper.from_array(keep, "keep"),
            numpy_helper.from_array(chunk, "chunk"),
            numpy_helper.from_array(np.array([1]), "axis"),
            numpy_helper.from_array(np.array([2500, 2500]), "size"),
            numpy_helper.from_array(np.float32(0), "zero"),
        ],
    )
    contract = PolicyContract(
        robot="g1",
        task="bend",
        joint_names=joints,
        terms=terms,
        rate=50.0,
        horizon=HORIZON,
        action_kind="joint_position",
        normalisation={},
        stiffness=tuple(map(float, robot.stiffness[index])),
        damping=tuple(map(float, robot.damping[index])),
        data_hash="",
        commit="",
        monitor=monitor,
        cameras=(camera,) if camera else (),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {CONTRACT_KEY: contract.to_json()})
    onnx.checker.check_model(model)
    onnx.save(model, path)


def test_a_policy_moves_its_joints_and_holds_the_others(graph, robot, tmp_path):
    write_policy(tmp_path / "bend.onnx", robot)
    graph.launch("sim", "camera_rate:=0")
    graph.launch("parts/source_policy", f"policy:={tmp_path / 'bend.onnx'}")
    states = graph.hear(JointState, "joint_states")
    graph.run(0.2)
    assert graph.call(SetBool, "policy/engage", SetBool.Request(data=True)).success
    joints, elbow = JointConverter(robot.layout), robot.layout.names.index(ELBOW)
    bent = lambda: abs(joints.state_from(states[-1][1]).value.position[elbow] - BEND) < 0.05  # noqa: E731
    assert graph.until(bent, 10.0)
    away = np.abs(joints.state_from(states[-1][1]).value.position - robot.rest)
    assert np.delete(away, elbow).max() < 0.1


def calibrated(robot) -> MonitorSpec:
    """Return the monitor of 40 imagined demonstrations: an elbow that bends, and a ball that lies in the task's box."""
    rng, steps = np.random.default_rng(0), 50
    goals = rng.uniform([0.28, -0.28, 0.03], [0.39, -0.13, 0.19], (40, 1, 3))
    rest = robot.rest[robot.layout.indices(("right_shoulder_pitch_joint", "right_elbow_joint"))]
    bend = np.linspace(0.0, 1.0, steps)[:, None] * np.array([0.0, BEND - rest[1]]) + rest
    joints = bend + rng.normal(0.0, 0.05, (40, 1, 2))
    seen = np.concatenate([joints, np.broadcast_to(goals, (40, steps, 3))], axis=2)
    scores = distance_scores(list(seen), 5, 1e-2)
    return MonitorSpec(*whiten(seen.reshape(-1, 5), 1e-2), make_levels(scores, 0.1, 0.01), None, 5, 0.1, 0.01)


@pytest.fixture
def wary(graph, robot, tmp_path):
    """Return a graph with a policy that knows where balls lie, and the ball's displacement to the left [m]."""
    write_policy(tmp_path / "wary.onnx", robot, sees=(TermSpec("object_position/goal", (3,)),), monitor=calibrated(robot))
    away = [0.0]

    def begin(doubt_time: float) -> list[float]:
        (tmp_path / "wary.launch.xml").write_text(WARY.format(policy=tmp_path / "wary.onnx", doubt_time=doubt_time))
        graph.launch("sim", "camera_rate:=0")
        graph.launch(tmp_path / "wary.launch.xml")
        moved = graph.node.create_publisher(TaskState, "moved/state", qos.STREAM)

        def relay(task: TaskState) -> None:
            task.objects[0].pose.position.y += away[0]
            moved.publish(task)

        graph.node.create_subscription(TaskState, "task/state", relay, qos.LATEST)
        graph.run(0.2)
        assert graph.call(SetBool, "policy/engage", SetBool.Request(data=True)).success
        return away

    return begin


def test_a_ball_where_none_was_shown_holds_the_robot_until_it_is_back(graph, wary, report):
    verdicts, health = graph.hear(Verdict, "verdict"), graph.hear(DiagnosticArray, "/diagnostics")
    away = wary(doubt_time=60.0)
    assert graph.until(lambda: verdicts[-1][1].status in FOLLOWED, 1.0), verdicts[-1]

    away[0], begin = 0.5, graph.now
    assert graph.until(lambda: list(verdicts[-1][1].reasons) == ["unsure_policy"], 0.2), verdicts[-1]
    report(f"ball 0.5 m out of its box: held after {(graph.now - begin) * 1e-6:.0f} ms of the robot's time")
    assert verdicts[-1][1].status == Verdict.HOLDING
    said = lambda: {s.name: s.level for _, array in health[-4:] for s in array.status}.get("policy: monitor")  # noqa: E731
    assert graph.until(lambda: said() == DiagnosticStatus.ERROR, 1.1)

    away[0], begin = 0.0, graph.now
    assert graph.until(lambda: verdicts[-1][1].status in FOLLOWED, 0.2), verdicts[-1]
    report(f"ball back: followed again after {(graph.now - begin) * 1e-6:.0f} ms")
    assert graph.until(lambda: said() == DiagnosticStatus.OK, 2.1)
    assert graph.call(SetBool, "policy/engage", SetBool.Request(data=False)).success
    assert graph.until(lambda: list(verdicts[-1][1].reasons) == ["stale_target"], 1.0), "a policy let go leaves no doubt behind"


def test_a_ball_that_stays_away_sends_the_robot_back_once_and_then_to_rest_and_asks_for_a_person(graph, wary, robot):
    states, phases = graph.hear(JointState, "joint_states"), graph.hear(String, "policy/state")
    health, joints, elbow = (
        graph.hear(DiagnosticArray, "/diagnostics"),
        JointConverter(robot.layout),
        robot.layout.names.index(ELBOW),
    )
    angle = lambda: joints.state_from(states[-1][1]).value.position[elbow]  # noqa: E731
    away = wary(doubt_time=0.5)
    start = angle()
    assert graph.until(lambda: angle() - start > 0.2, 5.0)
    graph.run(0.6)
    away[0], where = 0.5, angle()
    assert graph.until(lambda: phases[-1][1].data == "retreating", 2.0), phases
    assert graph.until(lambda: phases[-1][1].data == "acting", 5.0), phases
    assert angle() < where - 0.03, "it did not back away"
    assert graph.until(lambda: phases[-1][1].data == "needs_person", 2.0), phases
    graph.run(4.0)
    assert abs(angle() - robot.rest[elbow]) < 0.05, "it is not at rest"
    assert [message.data for _, message in phases][-6:] == [
        "acting",
        "doubting",
        "retreating",
        "acting",
        "doubting",
        "needs_person",
    ]
    said = [s for _, array in health[-4:] for s in array.status if s.name == "policy: monitor"]
    assert (said[-1].level, "needs a person" in said[-1].message) == (DiagnosticStatus.ERROR, True)
    away[0] = 0.0
    assert graph.call(SetBool, "policy/engage", SetBool.Request(data=True)).success
    assert graph.until(lambda: abs(angle() - BEND) < 0.05, 10.0), "nobody can engage it anew"


def test_a_policy_whose_answers_come_too_late_is_not_followed(launch, probe, robot, tmp_path):
    write_policy(tmp_path / "slow.onnx", robot, slow=True)
    graph = launch("sim", "camera_rate:=0", "time:=real")
    launch("parts/source_policy", f"policy:={tmp_path / 'slow.onnx'}", "time:=real")
    verdicts, health = probe.hear(Verdict, "verdict"), probe.hear(DiagnosticArray, "/diagnostics")
    assert probe.until(lambda: len(verdicts) > 20, 60.0), graph.output
    assert probe.until(lambda: probe.call(SetBool, "policy/engage", SetBool.Request(data=True)).success, 30.0)
    assert probe.until(lambda: "late_policy" in verdicts[-1][1].reasons, 20.0), verdicts[-1]
    assert verdicts[-1][1].status == Verdict.HOLDING
    said = lambda: {s.name: s.level for _, array in health[-4:] for s in array.status}.get("policy: inference")  # noqa: E731
    assert probe.until(lambda: said() == DiagnosticStatus.WARN, 10.0)
    assert probe.call(SetBool, "policy/engage", SetBool.Request(data=False)).success, "a busy policy cannot be let go"


@pytest.mark.parametrize("rate", [10, 0])
def test_a_policy_that_takes_pictures_moves_only_where_there_are_some(graph, robot, tmp_path, rate):
    write_policy(tmp_path / "looks.onnx", robot, camera=CameraSpec("head", 24, 32))
    graph.launch("sim", f"camera_rate:={rate}")
    graph.launch("parts/source_policy", f"policy:={tmp_path / 'looks.onnx'}")
    verdicts = graph.hear(Verdict, "verdict")
    graph.run(0.2)
    assert graph.call(SetBool, "policy/engage", SetBool.Request(data=True)).success
    assert graph.until(lambda: verdicts[-1][1].status in FOLLOWED, 1.0) is bool(rate), verdicts[-1]


def test_after_success_the_robot_holds_and_goes_back_to_rest(graph, robot, tmp_path):
    write_policy(tmp_path / "bend.onnx", robot)
    (tmp_path / "wary.launch.xml").write_text(WARY.format(policy=tmp_path / "bend.onnx", doubt_time=2.0))
    graph.launch("sim", "camera_rate:=0")
    graph.launch(tmp_path / "wary.launch.xml")
    states, success = graph.hear(JointState, "joint_states"), [False]
    moved = graph.node.create_publisher(TaskState, "moved/state", qos.STREAM)

    def relay(task: TaskState) -> None:
        task.success = success[0]
        moved.publish(task)

    graph.node.create_subscription(TaskState, "task/state", relay, qos.LATEST)
    joints, elbow = JointConverter(robot.layout), robot.layout.names.index(ELBOW)
    angle = lambda: joints.state_from(states[-1][1]).value.position[elbow]  # noqa: E731
    graph.run(0.2)
    assert graph.call(SetBool, "policy/engage", SetBool.Request(data=True)).success
    assert graph.until(lambda: abs(angle() - BEND) < 0.05, 10.0)
    success[0] = True
    assert graph.until(lambda: abs(angle() - robot.rest[elbow]) < 0.05, 10.0), "it does not go back to rest"
    assert not graph.until(lambda: abs(angle() - BEND) < 0.05, 2.0), "it was not let go at rest"


def test_rollouts_are_recorded_with_their_outcome_and_what_the_policy_was_at(graph, robot, tmp_path):
    write_policy(tmp_path / "bend.onnx", robot)
    out = tmp_path / "bags"
    graph.launch("deploy", f"policy:={tmp_path / 'bend.onnx'}", "episodes:=1", "time_limit:=1.5", f"out:={out}", "camera_rate:=0")
    assert graph.session() == 0
    about = yaml.safe_load((out / "episode_0000" / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    assert (about["custom_data"]["task_success"], about["custom_data"]["source"]) == ("false", "policy")
    (bag,) = (out / "episode_0000").glob("*.mcap")
    assert [read.ros_msg.data for read in read_ros2_messages(bag, topics=["/policy/state"])] == ["acting", "idle"]


def test_a_foreign_policy_is_refused_in_one_line(launch, tmp_path):
    (tmp_path / "foreign.onnx").write_bytes(b"not a policy")
    graph = launch("parts/source_policy", f"policy:={tmp_path / 'foreign.onnx'}", "time:=real")
    assert graph.process.wait(60) != 0
    said = [line for line in graph.output.splitlines() if line.startswith("[policy]")]
    assert len(said) == 1
    assert "not a readable ONNX file" in said[0]


def test_a_recorded_episode_plays_again(graph, robot, tmp_path):
    final = record_raising_arm(tmp_path / "episode_0000", robot)
    graph.launch("replay", f"bag:={tmp_path / 'episode_0000'}", "camera_rate:=0")
    states, targets = graph.hear(JointState, "joint_states"), graph.hear(JointCommandMsg, "target")
    assert graph.until(lambda: graph.nodes["replay"].exit_code is not None, 20.0)
    assert graph.nodes["replay"].exit_code == 0
    stamps = np.diff([from_time(message.header.stamp) for _, message in targets])
    assert stamps == pytest.approx(20e6)
    reached = JointConverter(robot.layout).state_from(states[-1][1]).value.position
    assert np.abs(reached - final).max() < 0.1


def record_raising_arm(bag, robot):
    """Write a bag of 3 s in which the right elbow bends; return the last target."""
    joints, elbow = JointConverter(robot.layout), robot.layout.names.index("right_elbow_joint")
    writer = BagWriter(bag, [BagTopic("/target", message_type("kata_msgs/msg/JointCommand"), ())])
    position = np.array(robot.rest)
    for i in range(150):
        position[elbow] = robot.rest[elbow] + 0.5 * min(i / 100.0, 1.0)
        command = JointCommand.at(10**9 + i * 20_000_000, position, robot.stiffness, robot.damping)
        writer.write("/target", serialize_message(joints.command_to(command)), 10**9 + i * 20_000_000 + 1_000_000)
    writer.save({"task": "bend"})
    return position
