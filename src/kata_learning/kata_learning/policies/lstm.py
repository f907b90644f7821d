# SPDX-License-Identifier: Apache-2.0
"""A recurrent policy: LSTM (Hochreiter & Schmidhuber 1997) over the history.

It is given the whole history at each step and starts from zero, so that its graph has no state that could go astray.
"""

from torch import Tensor, nn

from kata_learning.policies.config import LstmConfig
from kata_learning.policies.headed import HeadedPolicy
from kata_learning.policies.interface import Observed, Scaling
from kata_learning.policies.parts.heads import make_head
from kata_learning.policies.parts.vision import ObservationEncoder
from kata_learning.policies.spec import PolicySpec

__all__ = ["LstmPolicy"]


class LstmPolicy(HeadedPolicy):
    """What is seen, step by step, through an LSTM; its last output goes to a head (with a mixture: LSTM-GMM)."""

    def __init__(self, spec: PolicySpec, config: LstmConfig, scaling: Scaling | None = None) -> None:
        """Make one with fresh weights."""
        super().__init__(spec, config, scaling)
        self.encoder = ObservationEncoder(spec.sizes, spec.cameras, config.vision)
        self.lift = nn.Sequential(nn.Linear(self.encoder.width, config.hidden), nn.GELU())
        between = config.dropout if config.layers > 1 else 0.0
        self.lstm = nn.LSTM(config.hidden, config.hidden, config.layers, batch_first=True, dropout=between)
        self.head = make_head(config.head, config.hidden, spec.horizon, len(spec.joint_names))

    def feature(self, observed: Observed) -> Tensor:
        """Return one vector for each sample, shape (B, hidden)."""
        out, _ = self.lstm(self.lift(self.encoder(observed)))
        last: Tensor = out[:, -1]
        return last
