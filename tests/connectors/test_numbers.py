"""Signs inside numbers: what they mean is told by the number itself or by the mapping, and never guessed."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from connectors.entities import Kind
from connectors.values import read_values

CASES: dict[str, tuple[float | None, float | None, float | None]] = {
    # text: without decimal, with decimal = ",", with decimal = "."
    "12,5": (12.5, 12.5, 12.5),
    "12.5": (12.5, 12.5, 12.5),
    "28.856": (None, 28856.0, 28.856),
    "-28.856": (None, -28856.0, -28.856),
    "1,234": (None, 1.234, 1234.0),
    "1.000": (None, 1000.0, 1.0),
    "1.234,5": (1234.5, 1234.5, 1234.5),
    "1,234.5": (1234.5, 1234.5, 1234.5),
    "1.234,567": (1234.567, 1234.567, 1234.567),
    "1.234.567": (1234567.0, 1234567.0, 1234567.0),
    "1,234,567": (1234567.0, 1234567.0, 1234567.0),
    "0.125": (0.125, 0.125, 0.125),
    "1234.567": (1234.567, 1234.567, 1234.567),
    "28.8560": (28.856, 28.856, 28.856),
    "12.34.5": (None, None, None),
    "1.23,4,5": (None, None, None),
    "1 234": (None, None, None),
}


@pytest.mark.parametrize(("at", "decimal"), [(0, None), (1, ","), (2, ".")])
def test_numbers(at: int, decimal: str | None) -> None:
    texts = pa.array(list(CASES), pa.large_string())
    read = read_values(Kind.NUMBER, texts, codes=None, dates=("iso",), zone=ZoneInfo("UTC"), decimal=decimal)
    assert dict(zip(CASES, read.values.to_pylist(), strict=True)) == {text: found[at] for text, found in CASES.items()}
    assert [bool(bad) for bad in read.bad] == [found[at] is None for found in CASES.values()]


@pytest.mark.parametrize(("at", "decimal"), [(0, None), (1, ","), (2, ".")])
def test_whole_numbers(at: int, decimal: str | None) -> None:
    texts = pa.array(list(CASES), pa.large_string())
    read = read_values(Kind.INTEGER, texts, codes=None, dates=("iso",), zone=ZoneInfo("UTC"), decimal=decimal)
    wanted = [found[at] for found in CASES.values()]
    assert read.values.to_pylist() == [None if n is None or n != int(n) else int(n) for n in wanted]
