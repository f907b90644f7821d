# SPDX-License-Identifier: Apache-2.0
"""Pictures as MP4 and back, by PyAV."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import numpy as np
from numpy.typing import NDArray

from kata_model.errors import DataError

__all__ = ["VideoWriter", "even", "read_video"]

CODEC = "h264"
_OPTIONS = {"crf": "18", "g": "2", "preset": "veryfast", "tune": "fastdecode"}
"""A key frame every second picture, so that random access decodes two at most; a quality that the eye cannot tell."""

Picture = NDArray[np.uint8]


class VideoWriter:
    """Writes one MP4 file of pictures at a steady rate."""

    def __init__(self, path: Path, rate: int, height: int, width: int) -> None:
        """Open the file; sizes in [px] must be even, the rate is in [Hz].

        Raises:
            OSError: The disk refuses.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._container: Any = av.open(str(path), "w")
        self._stream = self._container.add_stream(CODEC, rate=rate, options=_OPTIONS)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, rate)
        self.count = 0

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Finish the file."""
        self.close()

    def write(self, pictures: Iterable[Picture]) -> None:
        """Append pictures, shape (height, width, 3) each, RGB."""
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts, frame.time_base = self.count, self._stream.codec_context.time_base
            self._container.mux(self._stream.encode(frame))
            self.count += 1

    def close(self) -> None:
        """Write what the encoder still holds, and close the file."""
        self._container.mux(self._stream.encode(None))
        self._container.close()


def even(pictures: Picture) -> Picture:
    """Return pictures, shape (F, height, width, 3), with even sizes: a last row or column is repeated where need be."""
    _, height, width, _ = pictures.shape
    if height % 2 == 0 and width % 2 == 0:
        return pictures
    return np.pad(pictures, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def read_video(path: Path) -> Iterator[tuple[float, Picture]]:
    """Yield each picture with its time [s], shape (height, width, 3), RGB, in order.

    Raises:
        DataError: The file is missing or damaged.
    """
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                yield float(frame.time or 0.0), frame.to_ndarray(format="rgb24")
    except (av.FFmpegError, OSError, IndexError) as error:
        raise DataError(f"unreadable video: {error}", where=str(path), fix="export the dataset again") from error
