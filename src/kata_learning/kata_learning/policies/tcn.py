# SPDX-License-Identifier: Apache-2.0
"""A policy of temporal convolutions: dilated and causal, over the history (Bai et al. 2018)."""

from torch import Tensor, nn
from torch.nn import functional

from kata_learning.policies.config import TcnConfig
from kata_learning.policies.headed import HeadedPolicy
from kata_learning.policies.interface import Observed, Scaling
from kata_learning.policies.parts.heads import make_head
from kata_learning.policies.parts.layers import norm
from kata_learning.policies.parts.vision import ObservationEncoder
from kata_learning.policies.spec import PolicySpec

__all__ = ["TcnPolicy"]


class _Block(nn.Module):
    """Two causal convolutions beside a shortcut; the length stays."""

    def __init__(self, config: TcnConfig, dilation: int) -> None:
        super().__init__()
        self._past = (config.kernel - 1) * dilation
        width = config.hidden
        self.convolutions = nn.ModuleList(nn.Conv1d(width, width, config.kernel, dilation=dilation) for _ in range(2))
        self.norms = nn.ModuleList(norm(config.norm, width) for _ in range(2))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, values: Tensor) -> Tensor:
        out = values
        for convolution, normalise in zip(self.convolutions, self.norms, strict=True):
            out = self.dropout(functional.gelu(normalise(convolution(functional.pad(out, (self._past, 0))))))
        return values + out


class TcnPolicy(HeadedPolicy):
    """What is seen as channels along time, causal blocks, the last step to a head."""

    def __init__(self, spec: PolicySpec, config: TcnConfig, scaling: Scaling | None = None) -> None:
        """Make one with fresh weights."""
        super().__init__(spec, config, scaling)
        self.encoder = ObservationEncoder(spec.sizes, spec.cameras, config.vision)
        self.lift = nn.Linear(self.encoder.width, config.hidden)
        self.blocks = nn.Sequential(*(_Block(config, 2**i) for i in range(config.layers)))
        self.head = make_head(config.head, config.hidden, spec.horizon, len(spec.joint_names))

    def feature(self, observed: Observed) -> Tensor:
        """Return one vector for each sample, shape (B, hidden)."""
        channels = self.lift(self.encoder(observed)).transpose(1, 2)
        last: Tensor = self.blocks(channels)[..., -1]
        return last
