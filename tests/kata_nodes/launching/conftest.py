# SPDX-License-Identifier: Apache-2.0
"""A small installed workspace with real executables, for the tests of `kata launch`."""

import os
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from kata_nodes.launching import Launch, interpret

# -S leaves out site-packages: the executables start in milliseconds.
_SHEBANG = f"#!{os.path.realpath(sys.executable)} -SE\n"


class Workspace:
    """A package ``toys`` in an install prefix of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.launch_folder = root / "share/toys/launch"
        self.launch_folder.mkdir(parents=True)
        (root / "lib/toys").mkdir(parents=True)
        marker = root / "share/ament_index/resource_index/packages/toys"
        marker.parent.mkdir(parents=True)
        marker.touch()
        self.environment = {**os.environ, "AMENT_PREFIX_PATH": str(root)}

    def executable(self, name: str, code: str) -> None:
        """Install a Python script as lib/toys/NAME."""
        file = self.root / "lib/toys" / name
        file.write_text(_SHEBANG + dedent(code))
        file.chmod(0o755)

    def launch_file(self, xml: str, name: str = "test.launch.xml") -> Path:
        """Install a launch file whose body is given."""
        file = self.launch_folder / name
        file.write_text(f"<launch>\n{dedent(xml)}\n</launch>\n")
        return file

    def interpret(self, xml: str, **given: str) -> Launch:
        """Return what a launch file comes to."""
        return interpret(self.launch_file(xml), given, self.environment)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Return an empty workspace."""
    return Workspace(tmp_path)
