# SPDX-License-Identifier: Apache-2.0
"""The policies by name, and as plain data that a run's folder can hold."""

import importlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from kata_learning.policies.config import (
    ActConfig,
    CnnConfig,
    DiffusionTransformerConfig,
    DiffusionUnetConfig,
    FusionConfig,
    LstmConfig,
    MlpConfig,
    TcnConfig,
)
from kata_learning.policies.spec import PolicySpec
from kata_model.config.params import info
from kata_model.errors import ConfigError

if TYPE_CHECKING:
    from kata_learning.policies.interface import Policy, Scaling

__all__ = ["POLICIES", "PolicyKind", "check_config", "describe", "kind_of", "make_policy", "restore"]


@dataclass(frozen=True, slots=True)
class PolicyKind:
    """One kind of policy.

    Attributes:
        config: Dataclass of its shape; all fields have defaults.
        source: ``module:class`` within this package; imported when one is made.
        pictures: Whether it looks at pictures: ``never``, ``may`` or ``must``.
        history: Observations that it looks back at by default, the present one counted.
        horizon: Actions in a chunk by default.
        doc: What it is, in a line.
    """

    config: type[Any]
    source: str
    pictures: str
    history: int
    horizon: int
    doc: str

    def load(self) -> "type[Policy]":
        """Return the class."""
        module, name = self.source.split(":")
        found: type[Policy] = getattr(importlib.import_module(f"kata_learning.policies.{module}"), name)
        return found


POLICIES: Mapping[str, PolicyKind] = {
    "mlp": PolicyKind(MlpConfig, "mlp:MlpPolicy", "never", 1, 20, "multi-layer perceptron"),
    "lstm": PolicyKind(LstmConfig, "lstm:LstmPolicy", "may", 10, 20, "LSTM over the history"),
    "tcn": PolicyKind(TcnConfig, "tcn:TcnPolicy", "may", 10, 20, "dilated causal convolutions over the history"),
    "cnn": PolicyKind(CnnConfig, "cnn:CnnPolicy", "must", 1, 20, "residual network for pictures, then a perceptron"),
    "fusion": PolicyKind(FusionConfig, "fusion:FusionPolicy", "may", 1, 20, "attention over all modalities"),
    "act": PolicyKind(ActConfig, "act:ActPolicy", "may", 1, 50, "Transformer with action chunks and a latent variable (ACT)"),
    "diffusion_unet": PolicyKind(
        DiffusionUnetConfig, "diffusion_unet:DiffusionUnetPolicy", "may", 2, 16, "diffusion by a one-dimensional U-Net"
    ),
    "diffusion_transformer": PolicyKind(
        DiffusionTransformerConfig, "diffusion_transformer:DiffusionTransformerPolicy", "may", 2, 16, "diffusion by a Transformer"
    ),
}
"""All kinds."""


def make_policy(kind: str, spec: PolicySpec, config: Any = None, scaling: "Scaling | None" = None) -> "Policy":
    """Return a policy with fresh weights, drawn from torch's global generator.

    Args:
        kind: Its name in `POLICIES`.
        spec: What it sees and moves.
        config: Of the kind's dataclass; None takes the defaults.
        scaling: Normalisation; None leaves it to `load_state_dict`.

    Raises:
        ConfigError: The kind is unknown, a value is out of range, or the kind cannot see what the spec says.
    """
    if kind not in POLICIES:
        raise ConfigError(f"unknown policy {kind!r}", fix=f"known: {', '.join(POLICIES)}")
    about = POLICIES[kind]
    config = about.config() if config is None else config
    check_config(config)
    if about.pictures == "must" and not spec.cameras:
        raise ConfigError(f"policy {kind} looks at pictures, but no camera is given", fix="name cameras that the dataset holds")
    if about.pictures == "never" and spec.cameras:
        able = ", ".join(name for name, other in POLICIES.items() if other.pictures != "never")
        raise ConfigError(f"policy {kind} does not look at pictures", fix=f"leave the cameras out, or take one of {able}")
    return about.load()(spec, config, scaling)


def check_config(config: Any) -> None:
    """Hold every value of a config, nested ones too, against its range.

    Raises:
        ConfigError: A value is out of range.
    """
    for name, about in info(config).items():
        value = getattr(config, name)
        if is_dataclass(value):
            check_config(value)
        else:
            about.check(name, value)


def kind_of(policy: "Policy") -> str:
    """Return the name of a policy's kind."""
    return next(name for name, about in POLICIES.items() if about.config is type(policy.config))


def describe(policy: "Policy") -> dict[str, Any]:
    """Return kind, shape and spec of a policy as what JSON can hold."""
    return {"kind": kind_of(policy), "config": asdict(policy.config), "spec": asdict(policy.spec)}


def restore(data: Mapping[str, Any]) -> "Policy":
    """Return the policy that `describe` was asked about; its weights and scaling wait for `load_state_dict`.

    Raises:
        ConfigError: The kind is unknown or a value out of range.
        KeyError, TypeError, ValueError: The data are no description.
    """
    kind = data["kind"]
    if kind not in POLICIES:
        raise ConfigError(f"unknown policy {kind!r}", fix=f"known: {', '.join(POLICIES)}")
    return make_policy(kind, PolicySpec.from_mapping(data["spec"]), _from_mapping(POLICIES[kind].config, data["config"]))


def _from_mapping(config: type[Any], data: Mapping[str, Any]) -> Any:
    nested = {f.name: type(f.default) for f in fields(config) if is_dataclass(f.default)}
    return config(**{name: _from_mapping(nested[name], value) if name in nested else value for name, value in data.items()})
