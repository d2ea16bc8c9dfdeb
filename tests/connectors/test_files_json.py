"""JSON files: a list, an object with a list inside, a record a line; digits as written; clear errors for all else."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.batch import Batch
from connectors.readers import files, json_file
from warehouse.errors import RefusedInput
from warehouse.sources import FileSettings

FIELDS = {"code": True, "value": True, "note": False}


def read(
    *paths: Path,
    position: str | None = None,
    rows: int = 1000,
    fields: Mapping[str, bool] = FIELDS,
    **options: Any,  # noqa: ANN401
) -> list[Batch]:
    setting = FileSettings(**({"kind": "file", "path": paths, "settle_seconds": 0} | options))
    return list(files.read(setting, position, fields, rows))


RECORDS = [{"code": "1.000110", "value": "ồ", "x": [1]}, {"code": "2", "value": None}, {"code": "3", "value": "c"}]
SHAPES: dict[str, tuple[str, str, str]] = {
    "list": ("a.json", json.dumps(RECORDS), ""),
    "indented": ("a.json", json.dumps(RECORDS, ensure_ascii=False, indent=2), ""),
    "object": (
        "a.json",
        json.dumps({"total": 3, "data": {"x": [], "items": RECORDS, "y": {"items": [1]}}}),
        "data.items",
    ),
    "lines": ("a.jsonl", "\n".join(json.dumps(item) for item in RECORDS) + "\n", ""),
    "lines of a .json": ("a.json", "\r\n\n".join(json.dumps(item) for item in RECORDS), ""),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", SHAPES)
def test_records_of_every_shape(tmp_path: Path, name: str, encoding: str) -> None:
    file, text, path = SHAPES[name]
    (tmp_path / file).write_bytes(text.encode(encoding))
    [batch] = read(tmp_path, records=path)
    assert batch.frame["code"].tolist() == ["1.000110", "2", "3"]
    assert batch.frame["value"].isna().tolist() == [False, True, False]
    assert batch.place(2) == f"{file} item 3"
    packed = tmp_path / f"b{Path(file).suffix}.gz"
    packed.write_bytes(gzip.compress(text.encode(encoding)))
    assert read(packed, records=path)[0].frame.equals(batch.frame)


def test_numbers_keep_their_digits(tmp_path: Path) -> None:
    values = '[1.000110, 10, 10.0, true, 1e3, -0.50, {"a": 1.50}, 12345678901234567890]'
    records = ",".join(f'{{"code": 1, "value": {value}}}' for value in values[1:-1].split(", "))
    (tmp_path / "a.json").write_text(f"[{records}]")
    assert read(tmp_path)[0].frame["value"].tolist() == [
        "1.000110", "10", "10", "true", "1000", "-0.50", '{"a":1.5}', "12345678901234567890",
    ]  # fmt: skip


def test_a_field_that_a_record_lacks_is_marked(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"code": 1, "value": 2}, {"code": 2}, {"value": null}]')
    [batch] = read(tmp_path)
    assert {name: rows.tolist() for name, rows in batch.absent.items()} == {
        "value": [False, True, False], "code": [False, False, True],
    }  # fmt: skip
    first = read(tmp_path, rows=1)
    assert [batch.absent["value"].tolist() for batch in first if "value" in batch.absent] == [[False], [True], [False]]


TROUBLES: dict[str, tuple[str, dict[str, Any], str]] = {
    "empty": ("", {}, "item 1: .*empty"),
    "cut": ('[{"code": 1, "value": 1}, {"code": 2', {}, "item 2: not whole JSON"),
    "cut behind a record": ('[{"code": 1, "value": 1}', {}, "item 2: .*cut off"),
    "cut object": ('{"data": [{"code": 1, "value": 1}]', {"records": "data"}, "cut off"),
    "more behind": ('[{"code": 1, "value": 1}] x', {}, "something follows"),
    "no records": ('["a"]', {}, "item 1: .*no object with named fields"),
    "a scalar": ("12", {}, "no object with named fields"),
    "NaN": ('[{"code": NaN, "value": 1}]', {}, "NaN is no number"),
    "deep": ('[{"code": 1, "value": ' + "[" * 200_000, {}, "item 1"),
    "digits": ('[{"code": 1, "value": ' + "9" * 5000 + "}]", {}, "too many digits"),
    "no list there": ('{"data": 1}', {"records": "data"}, "not the path of a list"),
    "no path": ('{"data": []}', {"records": "items"}, "no list at records = items"),
    "path in a list": ("[]", {"records": "data"}, "{ expected"),
    "object without path": ('{"data": [{"code": 1}], "total": 1}', {}, "set records to the path"),
    "other fields": (
        '[{"ma": 1, "value": 1}, {"ma": 2}]',
        {},
        r"no record has the field\(s\) code; fields there: ma, val",
    ),
    "html": ("<html>", {}, "HTML or XML"),
    "excel": ("PK\x03\x04", {}, "a zip or Excel file"),
    "not utf-8": ('[{"code": "\x81\x8d"}]', {}, "cannot be told"),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_what_is_no_list_of_records_is_refused(tmp_path: Path, name: str) -> None:
    text, options, told = TROUBLES[name]
    (tmp_path / "a.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(RefusedInput, match=told) as caught:
        read(tmp_path, **options)
    assert "a.json" in str(caught.value)


def test_an_empty_list_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": {}, "data": []}')
    [batch] = read(tmp_path, records="data")
    assert len(batch.frame) == 0
    assert read(tmp_path, records="data", position=batch.position) == []


def test_records_before_the_trouble_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_file, "PIECE_ROWS", 2)
    (tmp_path / "a.jsonl").write_text("\n".join(f'{{"code": {n}, "value": 1}}' for n in range(6)) + '\n{"code"')
    batches = files.read(FileSettings(kind="file", path=(tmp_path,), settle_seconds=0), None, FIELDS, 2)
    assert [next(batches).frame["code"].tolist() for _ in range(2)] == [["0", "1"], ["2", "3"]]
    with pytest.raises(RefusedInput, match="item 7"):
        list(batches)


def test_a_record_that_never_ends_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_file, "MAX_RECORD_SIGNS", 10_000)
    monkeypatch.setattr(json_file, "_READ_BYTES", 1000)
    (tmp_path / "a.json").write_text('[{"code": 1, "value": "' + "x" * 100_000 + '"}]')
    with pytest.raises(RefusedInput, match="no whole value within"):
        read(tmp_path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(st.tuples(st.text(max_size=9), JSON), max_size=12), st.integers(1, 40), st.booleans())
@settings(deadline=None, max_examples=30)
def test_any_list_comes_back_wherever_the_stream_is_cut(
    items: list[tuple[str, Any]], size: int, in_lines: bool
) -> None:
    records = [{"other": value, "code": code, "value": value} for code, value in items]
    text = (
        "\n".join(map(json.dumps, records)) if in_lines else json.dumps({"a": {"b": records}, "c": [1, 2.5]}, indent=1)
    )
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_file, "_READ_BYTES", size)
        path = Path(folder) / "a.json"
        path.write_text(text or " ", encoding="utf-8")
        if in_lines and not records:
            return
        found = read(path, rows=5, records="" if in_lines else "a.b", fields={"code": True, "value": False})
        rows = [row for batch in found for row in zip(batch.frame["code"], batch.frame["value"], strict=True)]
        assert [row[0] for row in rows] == [code for code, _ in items]
        texts = [None if value != value else value for _, value in rows]  # noqa: PLR0124 - a missing value
        assert [_parsed(text, value) for text, (_, value) in zip(texts, items, strict=True)] == [v for _, v in items]


def _parsed(text: str | None, value: object) -> Any:  # noqa: ANN401
    return text if text is None or isinstance(value, str) else json.loads(text)
