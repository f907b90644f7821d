# SPDX-License-Identifier: Apache-2.0
"""Hold the table of docs/design.md: which package may import what."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

SRC = Path(__file__).resolve().parents[1] / "src"

_MESSAGES = "builtin_interfaces diagnostic_msgs geometry_msgs nav_msgs rcl_interfaces rosgraph_msgs sensor_msgs std_msgs std_srvs"

_TABLE = {
    "kata_core": "numpy pinocchio coal yaml daqp numba onnxruntime scipy cv2 tqdm mcap",
    "kata_sim": "kata_core numpy yaml mujoco trimesh fast_simplification cv2 gymnasium",
    "kata_nodes": f"kata_core kata_msgs kata_sim numpy yaml rclpy ament_index_python cv2 mcap {_MESSAGES} "
    "websockets cryptography segno",
    "kata_learning": "kata_core kata_sim numpy yaml torch onnx onnx_ir onnxscript onnxruntime rosbags mcap cv2 matplotlib tqdm "
    "backports pyarrow av h5py tyro wandb mlflow",
}
ALLOWED = {package: frozenset(names.split()) for package, names in _TABLE.items()}

ONLY_IN = {
    ("kata_core", "onnxruntime"): {"kata_core.policy.onnx_policy"},
    ("kata_core", "cv2"): {"kata_core.pictures"},
    ("kata_core", "scipy"): {"kata_core.collision.fit"},
    ("kata_core", "mcap"): {"kata_core.recording.bag_writer"},
    ("kata_core", "tqdm"): {"kata_core.commands.retarget", "kata_core.commands.robot"},
    ("kata_learning", "tyro"): {"kata_learning.forms", "kata_learning.job"},
    ("kata_learning", "wandb"): {"kata_learning.metrics_log"},
    ("kata_learning", "mlflow"): {"kata_learning.metrics_log"},
    ("kata_sim", "gymnasium"): {"kata_sim.gym"},
    ("kata_nodes", "kata_sim"): {"kata_nodes.sim_node", "kata_nodes.sim_topics"},
}
"""Imports that the table allows in named modules alone."""


class Import(NamedTuple):
    """A module's import of something that is neither its own package nor Python's."""

    package: str
    module: str
    line: int
    imported: str


def _imports(package: str) -> Iterator[Import]:
    root = SRC / package
    for file in sorted((root / package).rglob("*.py")):
        module = ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(file.read_text(), str(file))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{file}:{node.lineno}: relative import"
                names = [str(node.module)]
            else:
                continue
            for name in names:
                top = name.split(".")[0]
                if top != package and top not in sys.stdlib_module_names:
                    yield Import(package, module, node.lineno, top)


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_stay_within_the_table(package: str) -> None:
    found = list(_imports(package))
    assert found, f"no import found in {SRC / package}: nothing was checked"
    wrong = [f"{i.module}:{i.line} imports {i.imported}" for i in found if i.imported not in ALLOWED[package]]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("package", "imported"), ONLY_IN)
def test_some_imports_stay_within_one_module(package: str, imported: str) -> None:
    wrong = [
        f"{i.module}:{i.line} imports {imported}"
        for i in _imports(package)
        if i.imported == imported and i.module not in ONLY_IN[package, imported]
    ]
    assert not wrong, "\n".join(wrong)


def test_every_package_is_in_the_table() -> None:
    with_code = {p.name for p in SRC.iterdir() if (p / "setup.py").is_file()}
    assert with_code == set(ALLOWED)


def test_every_module_says_its_licence() -> None:
    files = [f for f in SRC.rglob("*.py") if f.stat().st_size and "build" not in f.parts]
    assert files
    without = [str(f) for f in files if not f.read_text().startswith("# SPDX-License-Identifier: Apache-2.0\n")]
    assert not without, without


def test_no_package_hides_the_workspace() -> None:
    # colcon stops at the first package that it meets, and would not look into src/.
    assert not [n for n in ("package.xml", "setup.py", "CMakeLists.txt") if (SRC.parent / n).exists()]
