# SPDX-License-Identifier: Apache-2.0
"""Conversion keeps every number, brings foreign order into layout order, and refuses without raising."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rclpy.serialization import deserialize_message, serialize_message

from kata_model import BODIES, HumanFrames, JointCommand, JointLayout, JointState, Reason, Status, Verdict
from kata_msgs.msg import HumanFrames as HumanFramesMsg
from kata_msgs.msg import JointCommand as JointCommandMsg
from kata_msgs.msg import TaskState
from kata_msgs.msg import Verdict as VerdictMsg
from kata_nodes import convert

LAYOUT = JointLayout(("a", "b", "c", "d"))
STAMPS = st.integers(0, 2**31 * 10**9 - 1)
NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
VECTORS = arrays(float, len(LAYOUT), elements=NUMBERS)
quick = settings(max_examples=50, derandomize=True, deadline=None)


def through_the_wire(message):
    return deserialize_message(serialize_message(message), type(message))


def same(a, b):
    names = [name for name in type(a).__dataclass_fields__ if isinstance(getattr(a, name), np.ndarray)]
    return all(np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True) for name in names)


@quick
@given(STAMPS)
def test_stamps_survive(stamp):
    assert convert.from_time(convert.to_time(stamp)) == stamp


@quick
@given(STAMPS, st.tuples(*[VECTORS] * 5))
def test_commands_survive(stamp, vectors):
    command = JointCommand(stamp, *vectors)
    joints = convert.JointConverter(LAYOUT)
    back = joints.command_from(through_the_wire(joints.command_to(command))).value
    assert back.stamp == stamp
    assert same(back, command)


@quick
@given(STAMPS, st.tuples(*[VECTORS] * 3))
def test_states_survive(stamp, vectors):
    state = JointState(stamp, *vectors)
    joints = convert.JointConverter(LAYOUT)
    back = joints.state_from(through_the_wire(joints.state_to(state))).value
    assert back.stamp == stamp
    made = np.isnan(state.velocity) & np.isfinite(state.position)
    assert same(back, replace(state, velocity=np.where(made, 0.0, state.velocity)))


@quick
@given(st.permutations(range(4)), VECTORS)
def test_foreign_order_and_foreign_joints_do_not_matter(order, position):
    joints = convert.JointConverter(LAYOUT)
    message = joints.state_to(JointState(1, position, position, position))
    message.name = [LAYOUT.names[i] for i in order] + ["finger"]
    for name in ("position", "velocity", "effort"):
        setattr(message, name, [*position[list(order)].tolist(), 9.0])
    assert np.array_equal(joints.state_from(message).value.position, position, equal_nan=True)


@pytest.mark.parametrize("names", [["a", "b", "c"], ["a", "b", "c", "c"], [], ["a", "b", "c", "x"]])
def test_wrong_joints_are_refused(names):
    joints = convert.JointConverter(LAYOUT)
    fields = {name: [0.0] * len(names) for name in ("position", "velocity", "effort", "stiffness", "damping")}
    assert joints.command_from(JointCommandMsg(names=names, **fields)) == (None, Reason.WRONG_JOINTS)


@pytest.mark.parametrize("field", ["position", "velocity", "effort", "stiffness", "damping"])
def test_arrays_of_the_wrong_length_are_refused(field):
    joints = convert.JointConverter(LAYOUT)
    message = joints.command_to(JointCommand.at(0, np.zeros(4), np.ones(4), np.ones(4)))
    setattr(message, field, [0.0] * 3)
    assert joints.command_from(message).value is None


def test_effort_and_velocity_may_be_unmeasured():
    joints = convert.JointConverter(LAYOUT)
    message = joints.state_to(JointState(0, np.ones(4), np.ones(4), np.ones(4)))
    message.effort = []
    assert joints.state_from(message).value.effort.tolist() == [0.0] * 4
    message.velocity, message.position = [], (np.ones(4) + 0.02).tolist()
    message.header.stamp.nanosec += 10_000_000
    assert joints.state_from(message).value.velocity == pytest.approx(np.full(4, 2.0))
    message.velocity = [0.0] * 3
    assert joints.state_from(message).fault == Reason.WRONG_JOINTS


@quick
@given(STAMPS, st.booleans(), st.permutations(BODIES), st.integers(0, len(BODIES)), st.data())
def test_frames_survive(stamp, engaged, names, b, data):
    single = st.floats(0.0, 1.0, width=32)
    frames = HumanFrames(
        stamp=stamp,
        source="mocap",
        engaged=engaged,
        names=tuple(names[:b]),
        position=data.draw(arrays(float, (b, 3), elements=NUMBERS)),
        orientation_xyzw=data.draw(arrays(float, (b, 4), elements=NUMBERS)),
        confidence=data.draw(arrays(float, b, elements=single)),
    )
    back = convert.frames_from(through_the_wire(convert.frames_to(frames)))
    assert same(back, frames)
    assert (back.stamp, back.source, back.engaged, back.names) == (stamp, "mocap", engaged, frames.names)


def test_an_empty_message_is_a_human_without_bodies():
    assert convert.frames_from(HumanFramesMsg()).names == ()


@quick
@given(st.sampled_from(Status), arrays(np.uint8, 4), STAMPS, STAMPS, STAMPS)
def test_verdicts_survive_without_their_command(status, flags, source, received, stamp):
    joints = convert.JointConverter(LAYOUT)
    verdict = Verdict(status, (Reason.NOT_FINITE,), flags, None, source, received, stamp)
    back = joints.verdict_from(through_the_wire(joints.verdict_to(verdict))).value
    assert same(back, verdict)
    assert (back.status, back.reasons, back.stamp) == (status, verdict.reasons, stamp)
    assert (back.source_stamp, back.target_stamp) == (source, received)


def test_a_verdict_of_another_robot_is_refused():
    joints = convert.JointConverter(LAYOUT)
    assert joints.verdict_from(VerdictMsg(names=["x"])).value is None
    assert joints.verdict_from(VerdictMsg(names=list(LAYOUT.names), joint_flags=[0] * 4, status=9)).value is None


def test_task_state_gives_its_objects():
    things = {"goal": np.array([0.3, -0.1, 0.2]), "box": np.array([0.3, 0.1, 0.2, 0.5, 0.5, -0.5, 0.5])}
    message = convert.task_state_to(7, "reach", things, True, 1.5)
    back: TaskState = through_the_wire(message)
    objects = convert.objects_from(back)
    assert objects["goal"].tolist() == [0.3, -0.1, 0.2, 0.0, 0.0, 0.0, 1.0]
    assert objects["box"].tolist() == [0.3, 0.1, 0.2, 0.5, 0.5, -0.5, 0.5]
    assert (back.success, back.elapsed, back.objects[0].pose.orientation.w) == (True, 1.5, 1.0)


def test_imu_and_picture():
    imu = through_the_wire(convert.imu_to(5, np.array([0.0, 0.0, 0.6, 0.8]), np.arange(3.0), np.arange(3.0, 6.0), "imu"))
    assert (imu.orientation.z, imu.angular_velocity.y, imu.linear_acceleration.z) == (0.6, 1.0, 5.0)
    assert bytes(through_the_wire(convert.jpeg_to(5, b"\xff\xd8picture", "head")).data) == b"\xff\xd8picture"
