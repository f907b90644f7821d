# SPDX-License-Identifier: Apache-2.0
"""What a ``policy.onnx`` says of itself, and whether that fits the robot."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from kata_core.errors import ContractError
from kata_core.observation import TermSpec
from kata_core.policy.monitor import MonitorSpec
from kata_core.robot import RobotModel

__all__ = ["CONTRACT_KEY", "SCHEMA_VERSION", "PolicyContract"]

CONTRACT_KEY = "kata_contract"
"""Metadata key of the ONNX file that holds the contract as JSON."""

SCHEMA_VERSION = 2
"""2: with `monitor`."""


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
            data["terms"] = tuple(TermSpec(str(t["name"]), tuple(t["shape"])) for t in data["terms"])
            for name in ("joint_names", "stiffness", "damping"):
                data[name] = tuple(data[name])
            data["monitor"] = MonitorSpec.from_mapping(data["monitor"]) if data["monitor"] else None
            return cls(**data)
        except (json.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
            what = f"unreadable contract: {error}"
            raise ContractError(what, where=where, fix="export the policy again with `kata export`") from error

    def check(self, robot: RobotModel, rate: float | None = None, *, where: str = "") -> None:
        """Refuse a robot or rate that the policy was not made for; both sides are shown.

        Raises:
            ContractError: Joints, gains, rate or kind of action differ.
        """
        if self.action_kind != "joint_position":
            raise ContractError(f"action kind {self.action_kind!r} is unknown", where=where, fix="known: joint_position")
        foreign = [name for name in self.joint_names if name not in robot.layout.names]
        if foreign or self.robot != robot.description.name:
            raise ContractError(
                f"policy is for {self.robot} with joints {list(self.joint_names)}; "
                f"the robot is {robot.description.name} with joints {list(robot.layout.names)}",
                where=where,
                fix="use a policy of this robot",
            )
        if rate is not None and abs(rate - self.rate) > 1e-6 * self.rate:
            raise ContractError(
                f"policy runs at {self.rate} Hz, the robot at {rate} Hz", where=where, fix="run both at the same rate"
            )
        index = robot.layout.indices(self.joint_names)
        for kind, ours in (("stiffness", robot.stiffness), ("damping", robot.damping)):
            theirs = list(getattr(self, kind))
            here = [float(ours[i]) for i in index]
            if len(theirs) != len(here) or any(abs(a - b) > 1e-6 * max(1.0, abs(b)) for a, b in zip(theirs, here, strict=True)):
                raise ContractError(f"policy was trained with {kind} {theirs}, the robot has {here}", where=where)
