# SPDX-License-Identifier: Apache-2.0
"""Dataset → HDF5 in robomimic's layout: ``data/demo_N/{actions, obs/*, dones, rewards}`` and ``mask/{train, valid}``.

Source: robomimic.github.io/docs/datasets/overview.html. Beyond it each demonstration has ``stamp`` [ns].
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from kata_data.dataset import Dataset
from kata_data.dataset.assemble import Steps, episodes_of
from kata_model.atomic import new_file
from kata_model.errors import DataError

__all__ = ["write_hdf5"]

_SPLITS = {"train": "train", "validation": "valid"}


def write_hdf5(dataset: Dataset, path: Path, streams: Sequence[str] = ()) -> int:
    """Write selected streams; return the number of demonstrations.

    Args:
        dataset: What to write.
        path: File, whole or not at all.
        streams: Terms and cameras; empty for all.

    Raises:
        DataError: A stream is unknown, the file exists, or the disk refuses.
    """
    about = dataset.manifest
    known = (*about.terms, *about.cameras)
    unknown = [name for name in streams if name not in known]
    if unknown:
        raise DataError(f"the dataset has no stream {unknown[0]!r}", fix=f"its streams: {', '.join(known)}")
    if path.exists():
        raise DataError("exists already", where=str(path), fix="choose another file")
    episodes = episodes_of(dataset)
    with new_file(path) as partial, h5py.File(partial, "w") as file:
        data = file.create_group("data")
        data.attrs["total"] = len(dataset)
        data.attrs["env_args"] = json.dumps({"env_name": about.task, "type": "kata", "env_kwargs": {"robot": about.robot}})
        data.attrs["kata"] = json.dumps({"rate": about.rate, "joint_names": about.joint_names, "hash": about.hash})
        for i, steps in enumerate(episodes):
            _write(dataset, steps, i, streams or known, data.create_group(f"demo_{i}"))
        for split, name in _SPLITS.items():
            demos = [f"demo_{i}".encode() for i, steps in enumerate(episodes) if steps.entry.split == split]
            file.create_dataset(f"mask/{name}", data=np.array(demos, dtype="S16"))
    return len(episodes)


def _write(dataset: Dataset, steps: Steps, episode: int, streams: Sequence[str], group: Any) -> None:
    count = len(steps.action)
    done = np.zeros(count, dtype=np.int64)
    done[-1] = 1
    group.attrs["num_samples"] = count
    group.attrs["task"] = steps.entry.task
    group.create_dataset("actions", data=steps.action)
    group.create_dataset("dones", data=done)
    group.create_dataset("rewards", data=(done * steps.entry.success).astype(float))
    group.create_dataset("stamp", data=steps.stamp)
    for name in streams:
        if name in steps.observation:
            group.create_dataset(f"obs/{name.replace('/', '.')}", data=steps.observation[name])
        else:
            pictures = dataset.frames().pictures(name, episode)[steps.frame[name]]
            group.create_dataset(f"obs/{name}_image", data=pictures, compression="gzip", compression_opts=1)
