# SPDX-License-Identifier: Apache-2.0
"""Arrays as columns of one Parquet file: one row a step, an array's later axes as a list of fixed size."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

__all__ = ["column", "read_table", "values", "write_table"]


def column(array: NDArray[Any]) -> pa.Array:
    """Return an array, shape (T, *shape), as a column; several axes become one list a row."""
    flat = np.ascontiguousarray(array).reshape(-1)
    if array.ndim == 1:
        return pa.array(flat)
    width = int(np.prod(array.shape[1:]))
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), width)


def values(chunked: pa.ChunkedArray) -> NDArray[Any]:
    """Return a column as an array, shape (T,) or (T, width); rows are lists of one length, or numbers."""
    array = chunked.combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # without any chunk
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], chunked.type)
    if not (pa.types.is_list(array.type) or pa.types.is_fixed_size_list(array.type)):
        return np.asarray(array.to_numpy(zero_copy_only=False))
    flat = np.asarray(array.flatten().to_numpy(zero_copy_only=False))
    return flat.reshape(len(array), -1) if len(array) else flat.reshape(0, 1)


def write_table(arrays: Mapping[str, NDArray[Any]], path: Path) -> None:
    """Write arrays of one length; types and shapes are kept.

    Raises:
        OSError: The disk refuses.
    """
    shapes = {name: ",".join(map(str, array.shape[1:])) for name, array in arrays.items()}
    table = pa.table({name: column(array) for name, array in arrays.items()}).replace_schema_metadata(shapes)
    pq.write_table(table, path, compression="zstd")


def read_table(path: Path) -> dict[str, NDArray[Any]]:
    """Read what `write_table` wrote; the arrays are read-only.

    Raises:
        OSError, ValueError, KeyError: The file is missing, damaged or another one.
    """
    table = pq.read_table(path, memory_map=True)
    shapes = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    arrays = {}
    for name in table.column_names:
        shape = tuple(int(n) for n in shapes[name].split(",") if n)
        arrays[name] = values(table[name]).reshape(table.num_rows, *shape)
        arrays[name].setflags(write=False)
    return arrays
