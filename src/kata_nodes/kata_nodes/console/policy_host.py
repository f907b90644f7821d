# SPDX-License-Identifier: Apache-2.0
"""Policies by console: which there are, what a file promises, the node that runs one."""

import os
import signal
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from kata_model import RobotModel
from kata_model.errors import ContractError
from kata_nodes.launching.process_group import die_with_parent
from kata_policy.onnx_policy import OnnxPolicy

__all__ = ["PolicyHost", "node_program"]

_MOST = 200  # files that are listed
_ENDS_WITHIN = 3.0  # time for the node to end after Ctrl-C [s]


def node_program(name: str) -> Path | None:
    """Return the installed program of one of Kata's nodes; None if it is not built."""
    prefixes = (Path(p) for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p)
    return next((p / "lib/kata_nodes" / name for p in prefixes if (p / "lib/kata_nodes" / name).is_file()), None)


def _start(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    """Start a program that ends with this process, even if that is killed: nobody would be left to stop it."""
    die = partial(die_with_parent, os.getpid())
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=die)


class PolicyHost:
    """Starts and ends the node `policy` for one file at a time."""

    def __init__(self, folder: Path, robot: RobotModel, robot_name: str, arguments: list[str]) -> None:
        """Take the folder of policies, the robot, its name as a parameter, and further arguments for the node."""
        self._folder, self._robot, self._name, self._arguments = folder.resolve(), robot, robot_name, arguments
        self._process: subprocess.Popen[bytes] | None = None
        self.file = ""
        self.contract: dict[str, Any] | None = None
        self.known = self.files()
        """What `files` found last."""

    def files(self) -> list[str]:
        """Look which policies there are, the newest first, as paths in the folder; a large folder takes a while."""
        found = [f for f in self._folder.rglob("*.onnx") if f.is_file() and not any(p.startswith(".") for p in f.parts)]
        found.sort(key=lambda f: f.stat().st_mtime, reverse=True)
        self.known = [str(f.relative_to(self._folder)) for f in found[:_MOST]]
        return self.known

    def load(self, file: str) -> str:
        """Read a policy's contract, hold it against the robot, start its node; return why not, or an empty string."""
        path = (self._folder / file).resolve()
        if file not in self.files() or not path.is_relative_to(self._folder):
            return f"no policy {file!r} in {self._folder}"
        program = node_program("policy")
        if program is None:
            return "the node policy is not built (make setup)"
        try:
            contract = OnnxPolicy.load(path, self._robot).contract
        except ContractError as error:
            return str(error)
        self.unload()
        terms = [{"name": term.name, "shape": list(term.shape)} for term in contract.terms]
        plain = {k: getattr(contract, k) for k in ("robot", "task", "rate", "horizon", "commit", "data_hash")}
        self.contract = {**plain, "joints": list(contract.joint_names), "terms": terms}
        given = ["-p", f"robot:={self._name}", "-p", f"policy:={path}", *self._arguments]
        self._process = _start([str(program), "--ros-args", *given])
        self.file = file
        return ""

    @property
    def alive(self) -> bool:
        """Whether the node runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def ended(self) -> bool:
        """Whether the node was started and has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def unload(self) -> None:
        """End the node, if there is one."""
        process, self._process, self.file, self.contract = self._process, None, "", None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
