# SPDX-License-Identifier: Apache-2.0
"""What a ``policy.onnx`` says of itself, and whether that fits the robot."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import numpy as np

from kata_model.config.params import from_mapping
from kata_model.errors import ConfigError, ContractError
from kata_model.robot import RobotModel
from kata_policy.execution import ExecutionConfig
from kata_policy.monitor import MonitorSpec
from kata_policy.observation import CameraSpec, TermSpec

__all__ = ["CONTRACT_KEY", "SCHEMA_VERSION", "PolicyContract", "Quantisation"]

CONTRACT_KEY = "kata_contract"
"""Metadata key of the ONNX file that holds the contract as JSON."""

SCHEMA_VERSION = 4
"""2: with `monitor`; 3: with history, cameras, noise, quantisation, kind, execution; 4: monitors know attempts and pictures."""


@dataclass(frozen=True, slots=True)
class Quantisation:
    """How a graph's weights were made smaller, and what that costs.

    Attributes:
        method: ``dynamic`` or ``static``, both to int8.
        error_max: Largest difference from float32 on held-out observations [rad].
        error_mean: Mean of the absolute differences [rad].
        samples: Held-out observations.
    """

    method: str
    error_max: float
    error_mean: float
    samples: int


@dataclass(frozen=True)
class PolicyContract:
    """A policy's interface: everything that must agree between training and robot.

    Attributes:
        robot: Name of the robot.
        task: Task text or name that it was trained for.
        joint_names: Joints that the policy moves, in the order of its output.
        terms: Observation terms with shapes, one ONNX input each.
        rate: Rate at which it is asked [Hz].
        horizon: Actions in a chunk, one each 1 / rate.
        action_kind: ``joint_position``: absolute positions [rad].
        normalisation: Mean and standard deviation by term; also inside the graph.
        stiffness: Gains it was trained with, by joint [N·m/rad].
        damping: As above [N·m·s/rad].
        data_hash: Content hash of the dataset.
        commit: Version of the code that trained it.
        monitor: Where it may be trusted; None only in files that were not made from demonstrations.
        kind: What kind of policy it is, for people.
        history: Observations that it takes, the last of which is the present one; above 1 stacked before each shape.
        cameras: Cameras whose pictures it takes, one ONNX input ``camera.NAME`` each, uint8.
        noise: Random inputs, standard normal, one ONNX input each.
        quantisation: None for float32.
        execution: How its chunks are meant to become one motion.
    """

    robot: str
    task: str
    joint_names: tuple[str, ...]
    terms: tuple[TermSpec, ...]
    rate: float
    horizon: int
    action_kind: str
    normalisation: Mapping[str, Mapping[str, list[float]]]
    stiffness: tuple[float, ...]
    damping: tuple[float, ...]
    data_hash: str
    commit: str
    monitor: MonitorSpec | None = None
    kind: str = ""
    history: int = 1
    cameras: tuple[CameraSpec, ...] = ()
    noise: tuple[TermSpec, ...] = ()
    quantisation: Quantisation | None = None
    execution: ExecutionConfig = field(default=ExecutionConfig())

    @property
    def inputs(self) -> dict[str, tuple[tuple[int, ...], type[Any]]]:
        """Return shape without the batch, and type, of each input of the graph by name."""
        window = (self.history,) if self.history > 1 else ()
        terms: dict[str, tuple[tuple[int, ...], type[Any]]] = {t.name: ((*window, *t.shape), np.float32) for t in self.terms}
        cameras = {camera.input: ((*window, *camera.shape), np.uint8) for camera in self.cameras}
        return {**terms, **cameras, **{term.name: (term.shape, np.float32) for term in self.noise}}

    def to_json(self) -> str:
        """Return the contract as JSON, numbers in full."""
        plain = asdict(replace(self, monitor=None))
        monitor = self.monitor.to_mapping() if self.monitor else None
        return json.dumps({"schema_version": SCHEMA_VERSION, **plain, "monitor": monitor}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str, *, where: str = "") -> "PolicyContract":
        """Read a contract.

        Raises:
            ContractError: It is not JSON, of another schema version, or lacks a key.
        """
        try:
            data: dict[str, Any] = json.loads(text)
            version = data.pop("schema_version")
            if version != SCHEMA_VERSION:
                what = f"contract has schema version {version}, this Kata reads {SCHEMA_VERSION}"
                raise ContractError(what, where=where, fix="export the policy again with `kata export`")
            unknown = set(data) - {f.name for f in fields(cls)}
            if unknown:
                raise ContractError(f"contract has unknown keys {sorted(unknown)}", where=where)
            return cls(**{**data, **_nested(data, where)})
        except (json.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
            what = f"unreadable contract: {error}"
            raise ContractError(what, where=where, fix="export the policy again with `kata export`") from error

    def check(
        self, robot: RobotModel, rate: float | None = None, cameras: Sequence[CameraSpec] | None = None, *, where: str = ""
    ) -> None:
        """Refuse a robot, rate or cameras that the policy was not made for; both sides are shown.

        Args:
            robot: The robot that should run it.
            rate: Rate at which it will be asked [Hz]; None is its own.
            cameras: Cameras of the robot; None leaves them unchecked.
            where: The file, for the message.

        Raises:
            ContractError: Joints, their order, gains, rate, cameras or kind of action differ.
        """
        if self.action_kind != "joint_position":
            raise ContractError(f"action kind {self.action_kind!r} is unknown", where=where, fix="known: joint_position")
        self._check_joints(robot, where)
        if rate is not None and not abs(rate - self.rate) <= 1e-6 * self.rate:
            raise ContractError(
                f"policy runs at {self.rate} Hz, the robot at {rate} Hz", where=where, fix="run both at the same rate"
            )
        index = robot.layout.indices(self.joint_names)
        for kind, ours in (("stiffness", robot.stiffness), ("damping", robot.damping)):
            theirs = list(getattr(self, kind))
            here = [float(ours[i]) for i in index]
            if len(theirs) != len(here) or any(abs(a - b) > 1e-6 * max(1.0, abs(b)) for a, b in zip(theirs, here, strict=True)):
                raise ContractError(f"policy was trained with {kind} {theirs}, the robot has {here}", where=where)
        if cameras is not None:
            self._check_cameras(cameras, where)

    def _check_joints(self, robot: RobotModel, where: str) -> None:
        foreign = [name for name in self.joint_names if name not in robot.layout.names]
        if foreign or self.robot != robot.description.name:
            raise ContractError(
                f"policy is for {self.robot} with joints {list(self.joint_names)}; "
                f"the robot is {robot.description.name} with joints {list(robot.layout.names)}",
                where=where,
                fix="use a policy of this robot",
            )
        here = [name for name in robot.layout.names if name in self.joint_names]
        if here != list(self.joint_names):
            what = f"policy has its joints in the order {list(self.joint_names)}, the robot in the order {here}"
            raise ContractError(what, where=where, fix="train on data of this robot")

    def _check_cameras(self, cameras: Sequence[CameraSpec], where: str) -> None:
        """Pictures may be resized, but a policy must not look through another lens, nor at other colours."""
        here = {camera.name: camera for camera in cameras}
        for wanted in self.cameras:
            found = here.get(wanted.name)
            # A resized side is rounded to whole pixels.
            same = found is not None and abs(found.width * wanted.height / found.height - wanted.width) <= 1.0
            if found is None or not same or found.colours != wanted.colours:
                what = f"policy looks through {_camera(wanted)}, the robot has {', '.join(map(_camera, cameras)) or 'no camera'}"
                raise ContractError(what, where=where, fix="train on pictures of this robot's cameras")


def _camera(camera: CameraSpec) -> str:
    return f"{camera.name} ({camera.width}×{camera.height} {camera.colours})"


def _nested(data: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the values of a contract that JSON holds as lists and objects."""
    try:
        execution = from_mapping(ExecutionConfig, data["execution"], where=where)
    except ConfigError as error:
        raise ContractError(f"unreadable contract: {error}", where=where) from error
    return {
        **{name: tuple(TermSpec(str(t["name"]), tuple(t["shape"])) for t in data[name]) for name in ("terms", "noise")},
        **{name: tuple(data[name]) for name in ("joint_names", "stiffness", "damping")},
        "cameras": tuple(CameraSpec(**camera) for camera in data["cameras"]),
        "quantisation": Quantisation(**data["quantisation"]) if data["quantisation"] else None,
        "monitor": MonitorSpec.from_mapping(data["monitor"]) if data["monitor"] else None,
        "execution": execution,
    }
