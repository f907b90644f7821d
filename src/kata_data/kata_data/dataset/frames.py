# SPDX-License-Identifier: Apache-2.0
"""Pictures on disk: one uncompressed, memory-mapped array for each camera of each episode.

A file is named by the hash of what it holds. So a view of a dataset shares its files with the whole one (hard
links), the same episode in two datasets is the same file, and a wrong file is known by its name.
"""

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from kata_data.dataset.manifest import EpisodeEntry, FrameFile
from kata_model.errors import DataError

__all__ = ["FOLDER", "FrameStore", "check_frames", "link_frames", "write_frames"]

FOLDER = "frames"
_OPEN = 20_000
"""Most files mapped at a time; Linux allows a process 65,530 maps."""

Pictures = NDArray[np.uint8]


def write_frames(pictures: Iterable[Pictures], count: int, folder: Path) -> tuple[FrameFile, tuple[int, ...]]:
    """Write pictures below a folder, one after another: memory for all of them at once would cost more than decoding.

    Args:
        pictures: Shape (height, width, 3) each, RGB; all of one shape.
        count: How many there are.
        folder: The dataset's folder.

    Returns:
        The file, and the shape of one picture.

    Raises:
        OSError: The disk refuses.
    """
    place = folder / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    partial = place / f".{os.getpid()}.{uuid.uuid4().hex}.part"
    digest, shape = hashlib.sha256(), (1, 1, 3)
    with partial.open("wb") as file:
        for i, picture in enumerate(pictures):
            if i == 0:
                shape = picture.shape
                _begin(file, digest, (count, *shape))
            data = np.ascontiguousarray(picture).data
            digest.update(data)
            file.write(data)
        if not count:
            _begin(file, digest, (0, *shape))
    name = f"{FOLDER}/{digest.hexdigest()[:32]}.npy"
    partial.replace(folder / name)
    return FrameFile(name, count, digest.hexdigest()), shape


def _begin(file: BinaryIO, digest: "hashlib._Hash", shape: tuple[int, ...]) -> None:
    about = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, about)
    digest.update(str(shape).encode())


def link_frames(source: Path, target: Path, episodes: Sequence[EpisodeEntry]) -> None:
    """Give a dataset's folder the pictures of some episodes: hard links, or copies on another disk.

    Raises:
        OSError: A file is missing, or the disk refuses.
    """
    for file in {frames.file for entry in episodes for frames in entry.frames.values()}:
        place = target / file
        if place.exists():
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source / file, place)
        except OSError:
            shutil.copyfile(source / file, place)


def check_frames(folder: Path, episodes: Sequence[EpisodeEntry]) -> None:
    """Read all pictures and compare them with the manifest.

    Raises:
        DataError: A file is not what it was.
    """
    store = FrameStore(folder, episodes)
    for i, entry in enumerate(episodes):
        for camera, file in entry.frames.items():
            if _hash(store.pictures(camera, i)) != file.hash:
                raise DataError("pictures differ from the manifest's hash", where=str(folder / file.file), fix="build again")


class FrameStore:
    """Opens the pictures of a dataset when they are asked for."""

    def __init__(self, folder: Path, episodes: Sequence[EpisodeEntry]) -> None:
        """Remember where the pictures are; nothing is opened yet."""
        self._folder = folder
        self._files: tuple[Mapping[str, FrameFile], ...] = tuple(entry.frames for entry in episodes)
        self._open: dict[str, Pictures] = {}

    @property
    def folder(self) -> Path:
        """Return the dataset's folder."""
        return self._folder

    def pictures(self, camera: str, episode: int) -> Pictures:
        """Return the pictures of a camera in an episode, shape (F, height, width, 3), memory-mapped.

        Raises:
            DataError: The file is missing or cut.
        """
        file = self._files[episode][camera]
        if file.file not in self._open:
            if len(self._open) >= _OPEN:
                self._open.clear()
            self._open[file.file] = self._map(file)
        return self._open[file.file]

    def _map(self, file: FrameFile) -> Pictures:
        path = self._folder / file.file
        try:
            pictures: Pictures = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise DataError(f"unreadable pictures: {error}", where=str(path), fix="build the dataset again") from error
        if pictures.ndim != 4 or len(pictures) != file.count:
            raise DataError(f"holds {pictures.shape}, not {file.count} pictures", where=str(path), fix="build again")
        return pictures

    def gather(self, camera: str, episode: NDArray[np.integer], frame: NDArray[np.integer], out: Pictures) -> None:
        """Copy pictures of many episodes.

        Args:
            camera: Which camera.
            episode: Index of each sample's episode, shape (B,).
            frame: Indices of its pictures, shape (B, H).
            out: Where to, shape (B, H, height, width, 3).
        """
        for i, number in enumerate(episode.tolist()):
            self.pictures(camera, number).take(frame[i], axis=0, out=out[i], mode="clip")


def _hash(pictures: Pictures) -> str:
    digest = hashlib.sha256(str(pictures.shape).encode())
    digest.update(np.ascontiguousarray(pictures).data)
    return digest.hexdigest()
