# SPDX-License-Identifier: Apache-2.0
"""What a launch file asks to be run."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Process"]


@dataclass(frozen=True, slots=True)
class Process:
    """A node or another executable.

    Attributes:
        name: Shown before each line of its output; unique in a launch.
        command: Program and arguments.
        environment: Its whole environment.
        where: File and line that asked for it.
        respawn: Whether it is started again when it ends.
        respawn_delay: Time before that [s].
        ends_launch: Whether its end ends all others.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    where: str
    respawn: bool = False
    respawn_delay: float = 0.0
    ends_launch: bool = False
