# SPDX-License-Identifier: Apache-2.0
"""Files that are no good: one line that says what, where and what to do."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from humans import CMU, human, write_bvh

from kata_model.errors import ClipError
from kata_retarget.mocap import load_clip


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_bvh(tmp_path_factory.mktemp("clip") / "good.bvh", human(30), CMU).read_text()


def first_row(text: str) -> int:
    """Return the number of the line that holds the first frame."""
    return text[: text.index("Frame Time")].count("\n") + 2


def cut_in_row(text: str) -> str:
    return text[: int(0.9 * len(text))]


def cut_between_rows(text: str) -> str:
    return "\n".join(text.split("\n")[:-5]) + "\n"


def nan_in_third(text: str) -> str:
    lines = text.split("\n")
    row = lines[first_row(text) + 1].split()
    lines[first_row(text) + 1] = " ".join(["nan", *row[1:]])
    return "\n".join(lines)


def word_in_third(text: str) -> str:
    return nan_in_third(text).replace("nan", "n/a")


def one_short(text: str) -> str:
    lines = text.split("\n")
    lines[first_row(text) + 1] = lines[first_row(text) + 1].rpartition(" ")[0]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (cut_in_row, r"\d+ values, the hierarchy has \d+ channels \(the file is cut off"),
        (cut_between_rows, "truncated: 26 frames, the header promises 30"),
        (nan_in_third, "'nan' is not a finite number"),
        (word_in_third, "'n/a' is not a finite number"),
        (one_short, r"\d+ values, the hierarchy has"),
        (lambda text: text.replace("Frames: 30", "Frames: 20"), "more rows than the 20 frames"),
        (lambda text: text.replace("Frames: 30", "Frames: many"), "expected `Frames:`"),
        (lambda text: text.replace("Frame Time: 0.0166667", "Frame Time: 0"), "of 0 s"),
        (lambda text: text[: text.index("MOTION")], "no MOTION section"),
        (lambda text: text.replace("}\nMOTION", "MOTION"), "braces or offsets are incomplete"),
        (lambda text: text.replace("}\nMOTION", "}\n}\nMOTION"), "braces or offsets are incomplete|bad line"),
        (lambda text: text.replace("OFFSET", "OFSET", 1), "bad line 'OFSET"),
        (lambda text: text.replace("3 Zrotation", "2 Zrotation", 1), "bad line 'CHANNELS"),
        (lambda text: "#!/bin/sh\n" + text, "not a BVH file"),
        (lambda _: "", "not a BVH file"),
    ],
)
def test_spoilt_bvh(tmp_path: Path, good: str, spoil: Callable[[str], str], what: str) -> None:
    path = tmp_path / "bad.bvh"
    path.write_text(spoil(good))
    with pytest.raises(ClipError, match=what) as error:
        load_clip(path)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(str(path))


def test_the_line_of_a_fault_is_named(tmp_path: Path, good: str) -> None:
    path = tmp_path / "bad.bvh"
    path.write_text(nan_in_third(good))
    with pytest.raises(ClipError, match=f"bad.bvh:{first_row(good) + 2}:"):
        load_clip(path)


@pytest.mark.parametrize("name", ["none.bvh", "none.npz", "none.npy", "clip.fbx", "."])
def test_missing_or_unknown_files(tmp_path: Path, name: str) -> None:
    with pytest.raises(ClipError):
        load_clip(tmp_path / name)


def test_a_binary_file_is_no_bvh(tmp_path: Path) -> None:
    path = tmp_path / "bad.bvh"
    path.write_bytes(bytes(range(256)) * 10)
    with pytest.raises(ClipError, match="not a BVH"):
        load_clip(path)


def test_a_dog_is_no_human(tmp_path: Path, good: str) -> None:
    path = tmp_path / "bad.bvh"
    path.write_text(good.replace("LeftArm", "Tail1"))
    clip = load_clip(path)  # the bones still show a human
    assert "unknown names" in clip.notes[0]


def test_swapped_sides_are_refused(tmp_path: Path, good: str) -> None:
    path = tmp_path / "bad.bvh"
    path.write_text(good.replace("Left", "@").replace("Right", "Left").replace("@", "Right"))
    with pytest.raises(ClipError, match="left and right are swapped"):
        load_clip(path)


@pytest.mark.parametrize(
    "arrays",
    [
        {"names": ["a", "b"], "positions": np.zeros((3, 2, 3)), "fps": 30.0},
        {"names": ["a", "b"], "positions": np.zeros((3, 3, 3)), "fps": 30.0},
        {"poses": np.zeros((3, 66)), "trans": np.zeros((3, 3)), "mocap_framerate": 60.0},
        {"x": np.zeros(3)},
    ],
)
def test_spoilt_npz(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    path = tmp_path / "bad.npz"
    np.savez(path, **arrays)
    with pytest.raises(ClipError):
        load_clip(path)


def test_a_cut_npz(tmp_path: Path) -> None:
    path = tmp_path / "bad.npz"
    np.savez(path, names=np.array(["a"]), positions=np.zeros((100, 1, 3)), fps=1.0)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ClipError, match="cannot read"):
        load_clip(path)


@pytest.mark.parametrize("seed", range(40))
def test_any_damage_costs_one_line(tmp_path: Path, good: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    text, head = good, good.index("MOTION") + 60
    for _ in range(3):
        at = int(rng.integers(head if rng.random() < 0.7 else len(text)))
        match int(rng.integers(3)):
            case 0:
                text = text[:at] + text[at + int(rng.integers(1, 30)) :]
            case 1:
                text = (
                    text[:at] + str(rng.choice(["0", "nan", "\n", "{", "}", "JOINT x\n", "-1e400", "\0", "End Site"])) + text[at:]
                )
            case _:
                lines = text.split("\n")
                a, b = rng.integers(len(lines), size=2)
                lines[a], lines[b] = lines[b], lines[a]
                text = "\n".join(lines)
    path = tmp_path / "bad.bvh"
    path.write_text(text)
    told = ""
    try:
        load_clip(path)
    except ClipError as error:
        told = str(error)
    assert "\n" not in told
