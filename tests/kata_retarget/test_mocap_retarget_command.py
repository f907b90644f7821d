# SPDX-License-Identifier: Apache-2.0
"""`kata retarget`: files whole or not at all, one line a fault."""

from pathlib import Path

import numpy as np
import pytest
from humans import CMU, CONVENTIONS, human, write_bvh

from kata.cli import main
from kata_model.robot import RobotModel
from kata_model.trajectory import Trajectory


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_bvh(tmp_path / "march.bvh", human(60), CMU)


def test_one_clip_to_one_file(clip: Path, tmp_path: Path, g1: RobotModel, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out" / "march.npz"
    assert main(["retarget", str(clip), "--robot", "g1", "--fps", "30", "--out", str(out)]) == 0
    trajectory = Trajectory.load(out)
    assert trajectory.joint_names == g1.layout.names
    assert len(trajectory.stamp) == 30
    np.testing.assert_allclose(np.diff(trajectory.stamp), 1.0 / 30.0)
    assert "unit: CMU's ASF unit" in capsys.readouterr().out


def test_a_bad_clip_does_not_stop_the_others(clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = tmp_path / "clips", tmp_path / "out"
    folder.mkdir()
    write_bvh(folder / "good.bvh", human(30), CONVENTIONS["mixamo"])
    (folder / "bad.bvh").write_text(clip.read_text()[:5000])
    (folder / "notes.txt").write_text("no clip")
    assert main(["retarget", str(folder), "--out", str(out), "--jobs", "1"]) == 2
    assert [path.name for path in out.iterdir()] == ["good.npz"]
    told = capsys.readouterr()
    assert "1 of 2 clips retargeted" in told.out
    errors = [line for line in told.err.splitlines() if line.startswith("kata: error:")]
    assert len(errors) == 1
    assert "bad.bvh" in errors[0]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["{clip}", "{clip}", "--out", "a.npz"], "is one file"),
        (["{clip}", "{clip}", "--out", "a"], "would both become"),
        (["{clip}", "--out", "{clip}"], "is a file, not a folder"),
        (["{clip}", "--out", "a.npz", "--fps", "0"], "--fps is 0"),
        (["{clip}", "--out", "a.npz", "--fps", "nan"], "--fps is nan"),
        (["{clip}", "--out", "a.npz", "--robot", "hal"], "hal"),
        (["{empty}", "--out", "a"], "no motion clips"),
        (["{clip}"], "nothing to do"),
        (["{clip}", "--report", "page"], "ends in .html"),
        (["{clip}", "{clip}", "--play"], "--play takes one"),
    ],
)
def test_mistakes(
    clip: Path,
    tmp_path: Path,
    arguments: list[str],
    what: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    given = [argument.format(clip=clip, empty=tmp_path / "empty") for argument in arguments]
    assert main(["retarget", *given]) == 2
    told = capsys.readouterr().err
    assert what in told
    assert told.count("\n") == 1
    assert not list(tmp_path.rglob("*.npz"))
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.slow
def test_many_clips_on_two_processes(tmp_path: Path) -> None:
    folder, out = tmp_path / "clips", tmp_path / "out"
    folder.mkdir()
    for name in ("a", "b", "c"):
        write_bvh(folder / f"{name}.bvh", human(30), CMU)
    assert main(["retarget", str(folder), "--out", str(out), "--jobs", "2", "--quiet"]) == 0
    a, b = (Trajectory.load(out / f"{name}.npz") for name in ("a", "b"))
    np.testing.assert_array_equal(a.joint_position, b.joint_position)
