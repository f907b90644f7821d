# SPDX-License-Identifier: Apache-2.0
"""A policy that looks: a residual network for each camera, and a perceptron over what they and the terms say."""

from torch import Tensor

from kata_learning.policies.config import CnnConfig
from kata_learning.policies.headed import HeadedPolicy
from kata_learning.policies.interface import Observed, Scaling
from kata_learning.policies.parts.heads import make_head
from kata_learning.policies.parts.layers import mlp
from kata_learning.policies.parts.vision import ObservationEncoder
from kata_learning.policies.spec import PolicySpec

__all__ = ["CnnPolicy"]


class CnnPolicy(HeadedPolicy):
    """Pictures and terms side by side, hidden layers, a head (as Zhang et al. 2018 with one picture)."""

    def __init__(self, spec: PolicySpec, config: CnnConfig, scaling: Scaling | None = None) -> None:
        """Make one with fresh weights."""
        super().__init__(spec, config, scaling)
        self.encoder = ObservationEncoder(spec.sizes, spec.cameras, config.vision)
        widths = [spec.history * self.encoder.width, *[config.hidden] * config.layers]
        self.trunk = mlp(widths, config.norm, config.dropout)
        self.head = make_head(config.head, config.hidden, spec.horizon, len(spec.joint_names))

    def feature(self, observed: Observed) -> Tensor:
        """Return one vector for each sample, shape (B, hidden)."""
        feature: Tensor = self.trunk(self.encoder(observed).flatten(1))
        return feature
