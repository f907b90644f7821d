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
    "kata_model": "coal numba numpy pinocchio scipy yaml",
    "kata": "kata_model",
    "kata_safety": "kata_model daqp numba numpy pinocchio yaml",
    "kata_retarget": "kata_model kata_safety daqp numpy pinocchio tqdm",
    "kata_policy": "kata_model cv2 numpy onnxruntime",
    "kata_data": "kata_model kata_safety kata_policy av backports cv2 h5py mcap numpy pyarrow rosbags yaml",
    "kata_teleop": "kata_model numpy pinocchio",
    "kata_sim": "kata_model kata_safety kata_retarget kata_data kata_teleop cv2 fast_simplification gymnasium mujoco "
    "numpy rosbags tqdm trimesh yaml",
    "kata_learning": "kata_model kata_safety kata_policy kata_data kata_teleop kata_sim matplotlib mlflow numpy onnx "
    "onnx_ir onnxruntime onnxscript torch tqdm tyro wandb",
    "kata_report": "kata_model kata_safety kata_retarget kata_data kata_sim kata_learning cv2 jinja2 markupsafe "
    "matplotlib numpy tqdm",
    "kata_nodes": "kata_model kata_safety kata_retarget kata_policy kata_data kata_teleop kata_sim kata_msgs "
    f"cryptography cv2 mcap numpy rclpy segno websockets yaml {_MESSAGES}",
}
"""In the order of imports: each from above itself alone."""

ALLOWED = {package: frozenset(names.split()) for package, names in _TABLE.items()}

ONLY_IN = {
    ("kata_learning", "mlflow"): {"kata_learning.training.metrics_log"},
    ("kata_learning", "tyro"): {"kata_learning.training.forms", "kata_learning.training.job"},
    ("kata_learning", "wandb"): {"kata_learning.training.metrics_log"},
    ("kata_model", "scipy"): {"kata_model.collision.fit"},
    ("kata_nodes", "kata_sim"): {"kata_nodes.sim.sim_node", "kata_nodes.sim.sim_topics"},
    ("kata_policy", "cv2"): {"kata_policy.pictures"},
    ("kata_policy", "onnxruntime"): {"kata_policy.onnx_policy"},
    ("kata_retarget", "tqdm"): {"kata_retarget.commands.retarget", "kata_retarget.commands.robot"},
    ("kata_sim", "gymnasium"): {"kata_sim.gym"},
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


def test_kata_packages_import_one_way() -> None:
    names = list(ALLOWED)
    wrong = [f"{p} imports {i}" for p in names for i in sorted(ALLOWED[p] & set(names)) if names.index(i) >= names.index(p)]
    assert not wrong, wrong


def test_safety_imports_the_model_alone() -> None:
    assert {i for i in ALLOWED["kata_safety"] if i.startswith("kata")} == {"kata_model"}


def test_torch_ros_and_mujoco_have_one_home_each() -> None:
    homes = {library: {p for p in ALLOWED if library in ALLOWED[p]} for library in ("torch", "rclpy", "mujoco")}
    assert homes == {"torch": {"kata_learning"}, "rclpy": {"kata_nodes"}, "mujoco": {"kata_sim"}}


def test_every_module_says_its_licence() -> None:
    files = [f for f in SRC.rglob("*.py") if f.stat().st_size and "build" not in f.parts]
    assert files
    without = [str(f) for f in files if not f.read_text().startswith("# SPDX-License-Identifier: Apache-2.0\n")]
    assert not without, without


def test_no_package_hides_the_workspace() -> None:
    # colcon stops at the first package that it meets, and would not look into src/.
    assert not [n for n in ("package.xml", "setup.py", "CMakeLists.txt") if (SRC.parent / n).exists()]
