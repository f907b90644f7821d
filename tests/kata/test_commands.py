# SPDX-License-Identifier: Apache-2.0
import json
from importlib.metadata import entry_points

import pytest

from kata.cli import main

COMMANDS = ("check", "dataset", "train", "export", "evaluate", "report")


@pytest.fixture(autouse=True)
def _installed() -> None:
    names = {point.name for point in entry_points(group="kata.commands")}
    assert set(COMMANDS) <= names, "kata_learning is not installed: make setup"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    assert f"kata {command} " in capsys.readouterr().out


@pytest.mark.slow
def test_from_bags_to_a_success_rate(bags, tmp_path, capsys):
    data, run, policy, figures = (str(tmp_path / name) for name in ("data", "run", "policy.onnx", "figures.json"))
    assert main(["dataset", "build", str(bags), "--out", data]) == 0
    assert main(["train", "--data", data, "--out", run, "--epochs", "3", "--hidden", "16"]) == 0
    assert main(["export", run, "--out", policy, "--attempts", "3"]) == 0
    assert main(["evaluate", policy, "--rollouts", "2", "--timeout", "1.0", "--json", figures]) == 0
    out = capsys.readouterr().out
    assert "5 of 6 bags: 4 to train, 1 to validate" in out
    assert "rad from torch" in out
    assert "95 %" in out
    numbers = json.loads((tmp_path / "figures.json").read_text())
    assert 0.0 <= numbers["success_low"] <= numbers["success_rate"] <= numbers["success_high"] <= 1.0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "figures.json", "policy.onnx", "run"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["dataset", "build", "nowhere", "--out", "data"], "no such folder"),
        (["dataset", "build", ".", "--out", "data", "--rate", "-1"], "rate is -1.0 Hz"),
        (["dataset", "build", ".", "--out", "data", "--robot", "golem"], "golem"),
        (["train", "--data", "nowhere", "--out", "run"], "kata dataset"),
        (["export", "nowhere", "--out", "policy.onnx"], "kata train"),
        (["evaluate", "nowhere.onnx"], "kata export"),
    ],
)
def test_mistakes_get_one_line_and_leave_nothing(arguments, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == []
