# SPDX-License-Identifier: Apache-2.0
"""What `make setup` and `make test` may do to a machine: nothing unasked."""

import importlib.util
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "scripts/debian.py"


def load() -> ModuleType:
    """Return the script as a module."""
    spec = importlib.util.spec_from_file_location("debian", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def debian(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the script on a machine of its own: root, no container, no browser, and an apt-get that notes what it is told."""
    module = load()
    for name in ("CI", "KATA_APT", "container"):
        monkeypatch.delenv(name, raising=False)
    module.ran = []  # type: ignore[attr-defined]
    missing = ["g++", "libegl1"]

    def run(command: list[str], **_: object) -> None:
        module.ran.append(" ".join(command))  # type: ignore[attr-defined]
        missing.clear()

    monkeypatch.setattr(module, "subprocess", SimpleNamespace(run=run, DEVNULL=None))
    monkeypatch.setattr(module, "missing_packages", lambda: list(missing))
    monkeypatch.setattr(module, "in_container", lambda _: False)
    monkeypatch.setattr(module.os, "geteuid", lambda: 0)
    monkeypatch.setattr(module.shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)
    return module


@pytest.mark.parametrize(
    ("environment", "root", "container", "may"),
    [
        ({}, True, False, False),
        ({"CI": "true"}, True, False, True),
        ({"CI": "1"}, True, False, False),
        ({}, True, True, True),
        ({"KATA_APT": "yes"}, True, False, True),
        ({"KATA_APT": "no", "CI": "true"}, True, True, False),
        ({"KATA_APT": "yes", "CI": "true"}, False, True, False),
    ],
)
def test_who_is_allowed(debian: ModuleType, environment: dict[str, str], root: bool, container: bool, may: bool) -> None:
    assert debian.may_install(environment, root=root, container=container) is may


def test_a_container_is_known_by_its_file_or_its_word(tmp_path: Path) -> None:
    module = load()
    (tmp_path / "there").touch()
    assert module.in_container({}, [tmp_path / "none", tmp_path / "there"])
    assert module.in_container({"container": "podman"}, [])
    assert not module.in_container({}, [tmp_path / "none"])


def test_root_elsewhere_is_told_and_nothing_is_installed(debian: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        debian.provide()
    line = str(ended.value)
    assert line == (
        "setup: missing system packages: g++ (compiles ROS messages), libegl1 (renders the cameras of the simulator) "
        "(run: sudo apt-get install -y g++ libegl1; or, as root, KATA_APT=yes make setup)"
    )
    debian.provide_browser()
    assert "sudo apt-get install -y chromium" in capsys.readouterr().out
    assert debian.ran == []


@pytest.mark.parametrize("word", [("KATA_APT", "yes"), ("CI", "true")])
def test_where_it_is_allowed_it_is_said_first(
    debian: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], word: tuple[str, str]
) -> None:
    monkeypatch.setenv(*word)
    debian.provide()
    said = capsys.readouterr().out
    assert said.startswith("setup: installs by apt-get: g++ (compiles ROS messages)")
    assert debian.ran == ["apt-get update -qq", "apt-get install -y g++ libegl1 --no-install-recommends"]


def test_every_package_has_a_purpose(monkeypatch: pytest.MonkeyPatch) -> None:
    module = load()
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    monkeypatch.setattr(module.ctypes.util, "find_library", lambda _: None)
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    monkeypatch.setattr(module, "Path", lambda _: Path("/none"))
    assert {*module.missing_packages(), "chromium"} == set(module.PURPOSES)
