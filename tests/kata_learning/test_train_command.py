# SPDX-License-Identifier: Apache-2.0
"""`kata train` as a user types it."""

import json
import os
import subprocess
import sys

import pytest
import torch
from synthetic import SHORT

from kata.cli import main
from kata_learning.commands.train import _job
from kata_learning.policies.registry import POLICIES
from kata_learning.training.metrics_log import open_log
from kata_learning.training.run_folder import RunWriter, begin_run, load_losses, load_run, read_about
from kata_learning.training.train import Watch, train_policy
from kata_model.errors import ConfigError

QUICK = ["--hidden", "16", "--layers", "1", "--epochs", "2", "--horizon", "4"]


@pytest.mark.parametrize("kind", POLICIES)
def test_help_shows_unit_and_range_of_each_policys_parameters(kind, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["train", kind, "--help"])
    assert stopped.value.code == 0
    out = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "Time constant of that way back. [0 to 10 s] (default: 0.1)" in out


def test_flags_become_the_recipe():
    job = _job(["diffusion_unet", "--data", "d", "--out", "o", "--diffusion.steps", "4", "--cameras", "head", "--no-mirror"])
    assert job.recipe.kind == "diffusion_unet"
    assert job.recipe.shape.diffusion.steps == 4
    assert job.recipe.cameras == ("head",)


def test_a_policy_that_is_not_named_is_an_mlp(saved, tmp_path, capsys):
    run = tmp_path / "run"
    assert main(["train", "--data", str(saved), "--out", str(run), *QUICK, "--log", "tensorboard"]) == 0
    assert "kept epoch" in capsys.readouterr().out
    about = json.loads((run / "config.json").read_text())
    assert about["recipe"]["kind"] == "mlp"
    assert about["recipe"]["shape"]["hidden"] == 16
    assert {path.name for path in run.iterdir()} == {"config.json", "loss.png", "metrics.csv", "policy.pt", "tensorboard"}
    assert next((run / "tensorboard").iterdir()).stat().st_size > 100
    assert load_run(run).data == saved.resolve()


def test_an_interrupted_run_is_resumed(saved, dataset, trained, run_path, tmp_path, capsys):
    folder = tmp_path / "run"
    begin_run(read_about(run_path), folder)
    states = RunWriter(folder, 0.0)

    def save_five(state):
        if not (folder / "metrics.csv").is_file() or len(load_losses(folder)) < 5:
            states.save(state)

    train_policy(dataset, SHORT, Watch(save=save_five))
    assert main(["train", "--resume", str(folder)]) == 0
    for ours, theirs in zip(load_run(folder).network.parameters(), trained.network.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert main(["train", "--resume", str(folder)]) == 2
    assert "finished already" in capsys.readouterr().err


def test_folds_write_a_table(saved, tmp_path, capsys):
    assert main(["train", "mlp", "--data", str(saved), "--out", str(tmp_path / "cv"), "--folds", "2", *QUICK]) == 0
    assert "±" in capsys.readouterr().out
    assert len((tmp_path / "cv" / "folds.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["cnn"], "looks through cameras, and none is chosen"),
        (["act", "--cameras", "head"], "the camera 'head', which the dataset lacks"),
        (["mlp", "--terms", "wrench/left_palm"], "the term 'wrench/left_palm', which the dataset lacks"),
        (["mlp", "--task", "lift"], "of the task 'reach', not 'lift'"),
        (["mlp", "--noise", "7"], "noise is 7.0 rad"),
        (["mlp", "--folds", "99"], "cannot make 99 folds"),
        (["mlp", "--mirror"], "which they do not"),
    ],
)
def test_what_the_data_lack_is_said_in_a_line(saved, tmp_path, capsys, arguments, says):
    assert main(["train", *arguments, "--data", str(saved), "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_log_that_is_not_installed_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ConfigError, match="pip install wandb"), open_log("wandb", tmp_path, {}):
        pass


@pytest.mark.slow
def test_two_processes_train_what_one_does(saved, tmp_path):
    """The curve is the same at equal batch; sums over processes round otherwise, hence the tolerance."""
    arguments = ["train", "mlp", "--data", str(saved), *QUICK, "--epochs", "4", "--batch", "32"]
    assert main([*arguments, "--out", str(tmp_path / "one")]) == 0
    run = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "kata"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, *run, *arguments, "--out", str(tmp_path / "two")], check=True, env=environment, timeout=300)
    one, two = (load_losses(tmp_path / name) for name in ("one", "two"))
    for ours, theirs in zip(one, two, strict=True):
        assert ours.train == pytest.approx(theirs.train, rel=1e-4)
        assert ours.validation == pytest.approx(theirs.validation, rel=1e-4)
