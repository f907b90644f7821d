# SPDX-License-Identifier: Apache-2.0
"""What LeRobotDataset v3.0 demands: paths, features, and where Kata's own metadata goes.

Source: the format's documentation (huggingface.co/docs/lerobot/lerobot-dataset-v3) and the data sets on the hub.
LeRobot has one instant a frame, index / fps, whatever happened; the true stamps are kept in features of Kata's
own (``kata.*``, int64), and so is the number of the step, whose gaps show what was dropped.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kata_data.dataset import Manifest

__all__ = ["DATA", "EPISODES", "EXTRA", "INFO", "STATS", "TASKS", "VIDEO", "camera_key", "features", "term_key"]

VERSION = "v3.0"
INFO, STATS, TASKS, EXTRA = "meta/info.json", "meta/stats.json", "meta/tasks.parquet", "meta/kata.json"
EPISODES = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
CHUNK, DATA_MB, VIDEO_MB = 1000, 100, 200
"""Files in a folder, and the sizes at which a new file is begun."""

STAMPS = ("stamp", "state_stamp", "tick", "intervention")
"""Arrays of a dataset that become features ``kata.NAME``."""

_COUNTERS = {"timestamp": "float32", "frame_index": "int64", "episode_index": "int64", "index": "int64", "task_index": "int64"}


def term_key(term: str) -> str:
    """Return the feature of an observation term; the policy's joints are what LeRobot calls the state."""
    return "observation.state" if term == "joint_position" else f"observation.{term.replace('/', '.')}"


def camera_key(camera: str) -> str:
    """Return the feature of a camera."""
    return f"observation.images.{camera}"


def features(about: Manifest, codec: str) -> dict[str, Any]:
    """Return the features of a dataset as ``info.json`` declares them; pictures have even sizes there."""
    own = {f"kata.{name}": _number("int64") for name in STAMPS}
    own |= {f"kata.frame_stamp.{camera}": _number("int64") for camera in about.cameras}
    return {
        **{term_key(term): _vector(term, shape, about.joint_names) for term, shape in about.terms.items()},
        "action": _vector("joint_position", (len(about.joint_names),), about.joint_names),
        **{camera_key(camera): _video(shape, about.rate, codec) for camera, shape in about.cameras.items()},
        **own,
        **{name: _number(kind) for name, kind in _COUNTERS.items()},
    }


def _vector(term: str, shape: Sequence[int], joints: Sequence[str]) -> dict[str, Any]:
    (width,) = shape
    names = list(joints) if term.startswith("joint_") else [f"{term}.{axis}" for axis in ("x", "y", "z")][:width]
    return {"dtype": "float32", "shape": [width], "names": names if len(names) == width else None}


def _number(kind: str) -> dict[str, Any]:
    return {"dtype": kind, "shape": [1], "names": None}


def _video(shape: Sequence[int], rate: float, codec: str) -> dict[str, Any]:
    height, width = shape[0] + shape[0] % 2, shape[1] + shape[1] % 2
    about: Mapping[str, Any] = {
        "video.height": height,
        "video.width": width,
        "video.codec": codec,
        "video.pix_fmt": "yuv420p",
        "video.is_depth_map": False,
        "video.fps": round(rate),
        "video.channels": 3,
        "has_audio": False,
    }
    return {"dtype": "video", "shape": [height, width, 3], "names": ["height", "width", "channels"], "info": dict(about)}
