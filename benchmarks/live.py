# SPDX-License-Identifier: Apache-2.0
"""What benchmarks of live processes share: where nodes are, a domain of their own, an end without orphans."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kata_model.config.config_path import find_config

__all__ = ["node_program", "own_domain", "stopped_after"]

PATIENCE = 30.0
"""Time that a process has to end [s]."""


def node_program(name: str) -> Path:
    """Return the program of a node of kata_nodes; end the benchmark if it is not built."""
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    program = next((file for prefix in prefixes if (file := Path(prefix) / "lib/kata_nodes" / name).is_file()), None)
    if program is None:
        sys.exit("kata_nodes is not built (make setup, then . scripts/env.sh)")
    return program


def own_domain() -> None:
    """Keep off other ROS graphs, with the middleware's profile that all launch files use."""
    os.environ.setdefault("ROS_DOMAIN_ID", str(random.SystemRandom().randint(1, 100)))
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    for name in ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"):
        os.environ.setdefault(name, str(find_config("fastdds_profile.xml")))


@contextmanager
def stopped_after(processes: Sequence["subprocess.Popen[Any]"]) -> Iterator[None]:
    """Interrupt processes in the end, as Ctrl-C does, and wait for them; kill one that does not listen."""
    try:
        yield
    finally:
        for process in processes:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        for process in processes:
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
