# SPDX-License-Identifier: Apache-2.0
"""A policy that never rests: two joints of the right arm go round in a circle, so that a fault always meets a motion."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from kata_model import RobotModel
from kata_policy import CONTRACT_KEY, PolicyContract
from kata_policy.observation import TermSpec

__all__ = ["write_circling_policy"]

_JOINTS = ("right_shoulder_pitch_joint", "right_elbow_joint")
_CENTRE, _RADIUS = (-0.1, 0.8), 0.25
_RATE, _HORIZON = 50.0, 3
_LEAD = 2.0 * np.pi * 0.5 / _RATE
"""Angle between two steps of a chunk: one round in about two seconds."""


def write_circling_policy(path: Path, robot: RobotModel) -> None:
    """Write the policy: the nearest point of the circle, turned a little further for each step of the chunk."""
    turns = [[[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]] for a in _LEAD * (np.arange(_HORIZON) + 5.0)]
    constants = {
        "centre": np.array([_CENTRE], np.float32),
        "least": np.array([[1e-3, 0.0]], np.float32),
        "radius": np.array(_RADIUS, np.float32),
        "turns": np.concatenate(turns, axis=1).astype(np.float32),
        "shape": np.array([-1, _HORIZON, 2]),
    }
    nodes = [
        helper.make_node("Sub", ["joint_position", "centre"], ["away"]),
        helper.make_node("Add", ["away", "least"], ["moved"]),  # so that the centre itself has a direction
        helper.make_node("ReduceL2", ["moved"], ["length"], axes=[1], keepdims=1),
        helper.make_node("Div", ["moved", "length"], ["unit"]),
        helper.make_node("Mul", ["unit", "radius"], ["point"]),
        helper.make_node("MatMul", ["point", "turns"], ["turned"]),
        helper.make_node("Reshape", ["turned", "shape"], ["chunk"]),
        helper.make_node("Add", ["chunk", "centre"], ["action"]),
    ]
    graph = helper.make_graph(
        nodes,
        "circle",
        [helper.make_tensor_value_info("joint_position", TensorProto.FLOAT, ["batch", 2])],
        [helper.make_tensor_value_info("action", TensorProto.FLOAT, ["batch", _HORIZON, 2])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {CONTRACT_KEY: _contract(robot).to_json()})
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _contract(robot: RobotModel) -> PolicyContract:
    index = robot.layout.indices(_JOINTS)
    return PolicyContract(
        robot="g1",
        task="circle",
        joint_names=_JOINTS,
        terms=(TermSpec("joint_position", (2,)),),
        rate=_RATE,
        horizon=_HORIZON,
        action_kind="joint_position",
        normalisation={},
        stiffness=tuple(map(float, robot.stiffness[index])),
        damping=tuple(map(float, robot.damping[index])),
        data_hash="",
        commit="",
    )
