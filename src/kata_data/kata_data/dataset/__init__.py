# SPDX-License-Identifier: Apache-2.0
"""Datasets: aligned steps of many episodes in a folder; what it holds, how it is read, joined and drawn from."""

from kata_data.dataset.manifest import MARKER, EpisodeEntry, FrameFile, Manifest, Statistics, statistics
from kata_data.dataset.store import Dataset, content_hash, load_dataset, save_dataset, write_dataset

__all__ = [
    "MARKER",
    "Dataset",
    "EpisodeEntry",
    "FrameFile",
    "Manifest",
    "Statistics",
    "content_hash",
    "load_dataset",
    "save_dataset",
    "statistics",
    "write_dataset",
]
