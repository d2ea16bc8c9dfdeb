"""Reading Parquet files: every value as the text that a CSV file of the same data has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from connectors.batch import as_text, text_array
from connectors.readers.archive import Content
from connectors.readers.rows import Rows, choose_columns
from warehouse.errors import RefusedInput

BATCH_ROWS = 20_000


def read_parquet(content: Content, fields: Mapping[str, bool]) -> Iterator[Rows]:
    """Yield the wanted columns of a Parquet file, rows counted from 1.

    Raises RefusedInput for what is no whole Parquet file or lacks a column.
    """
    first = 1
    try:
        with content.open_seekable() as stream, pa.parquet.ParquetFile(stream) as file:
            wanted = choose_columns(content.shown, file.schema_arrow.names, fields)
            for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=wanted):
                table = pa.Table.from_batches([batch]).select(wanted)
                yield Rows.of(pa.table({name: _as_texts(table.column(name)) for name in wanted}), first)
                first += table.num_rows
    except (pa.ArrowException, OSError) as error:
        raise RefusedInput(f"{content.shown}: not a whole Parquet file: {str(error)[:200]}; write it again") from error


def _as_texts(column: Any) -> Any:  # noqa: ANN401 - Arrow
    """Render a column as the same texts that a CSV file of the same data has."""
    array = column.combine_chunks()
    kind = array.type
    if pa.types.is_dictionary(kind):
        array, kind = array.dictionary_decode(), kind.value_type
    if pa.types.is_timestamp(kind):
        return _instant_texts(array)
    if pa.types.is_floating(kind):
        values = array.to_numpy(zero_copy_only=False).astype(np.float64)
        return text_array([None if np.isnan(value) else as_text(float(value)) for value in values])
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return text_array([as_text(value) for value in array.to_pylist()])
    if pa.types.is_boolean(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind):
        return text_array([None if value is None else as_text(value) for value in array.to_pylist()])
    return pc.cast(array, pa.large_string())


def _instant_texts(array: Any) -> Any:  # noqa: ANN401 - Arrow array
    """ISO text in whole seconds; with an offset when the column has a time zone."""
    zone = array.type.tz
    if zone is not None:
        array = array.cast(pa.timestamp(array.type.unit, "UTC")).cast(pa.timestamp(array.type.unit))
    whole = pc.floor_temporal(array, unit="second").cast(pa.timestamp("s"))
    texts = pc.strftime(whole, format="%Y-%m-%dT%H:%M:%S").cast(pa.large_string())
    utc, nothing = pa.scalar("+00:00", pa.large_string()), pa.scalar("", pa.large_string())
    return texts if zone is None else pc.binary_join_element_wise(texts, utc, nothing)
