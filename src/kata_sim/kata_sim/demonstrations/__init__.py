# SPDX-License-Identifier: Apache-2.0
"""Demonstrations in simulation without ROS, in bags like those of the graph."""

from kata_sim.demonstrations.collect import Collected, SessionConfig, demonstrate
from kata_sim.demonstrations.episode import EpisodeConfig, Outcome

__all__ = ["Collected", "EpisodeConfig", "Outcome", "SessionConfig", "demonstrate"]
