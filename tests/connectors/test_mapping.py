"""The mapping language: what it accepts, what it refuses, and that presets drop every personal field."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from connectors.batch import Batch, Stretch, text_array, text_column
from connectors.mapping import PRESETS, SourceMapping, load_mapping
from connectors.transform import Mapped, apply_mapping
from warehouse.errors import ConfigurationError

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MINIMAL: dict[str, Any] = {"code": {"from": "id"}, "unit": {"from": "u"}}


def mapping(**fields: Any) -> SourceMapping:  # noqa: ANN401
    return SourceMapping(entity="dossier", fields=MINIMAL | fields)  # type: ignore[arg-type]


def apply(chosen: SourceMapping, **columns: list[str | None]) -> Mapped:
    size = len(next(iter(columns.values())))
    columns = {"id": [str(number) for number in range(size)], "u": ["1"] * size} | columns
    frame = pd.DataFrame({name: text_column(text_array(values)) for name, values in columns.items()})
    return apply_mapping(chosen, Batch(frame, [Stretch(0, "row", 1)], None), ZONE)


def column(mapped: Mapped, name: str) -> list[Any]:
    return [None if pd.isna(value) else value for value in mapped.frame[name].tolist()]


@pytest.mark.parametrize("name", sorted(path.stem for path in PRESETS.glob("*.toml")))
def test_every_preset_loads(name: str) -> None:
    assert load_mapping(name).fields


def test_presets_never_read_a_personal_field() -> None:
    chosen = load_mapping("dvcqg")
    assert {"ChuHoSo", "SoGiayToChuHoSo", "SoDienThoai", "Email", "TrichYeuHoSo", "GhiChu"} <= set(chosen.personal)
    assert not set(chosen.source_fields) & set(chosen.personal)
    assert not set(load_mapping("survey-three-level").source_fields) & {"GopY", "NguoiDanhGia"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"colour": {"from": "c"}}, "unknown \\['colour'\\]"),
        ({"status": {"from": "s", "codez": {}}}, "no such key"),
        ({"status": {"from": "s", "constant": 4}}, "either from or constant"),
        ({"status": {"constant": "open"}}, "gives something else"),
        ({"status": {"constant": True}}, "gives something else"),
        ({"status": {"from": "s", "codes": "nowhere"}}, "no code list"),
        ({"reused": {"from": "l", "take": "any"}}, "needs item"),
        (
            {"supplements": {"from": "l", "take": "first", "item": "a"}, "reused": {"from": "l", "take": "count"}},
            "reused",
        ),
        ({"due_at": {"from": "d", "when": {"column": "status", "in": [3]}}}, "must be mapped before"),
        ({"due_at": {"from": "d", "dates": ["mm.yy"]}}, "Input should be"),
        ({"unit": {"from": "SoDienThoai"}}, "personal fields"),
    ],
)
def test_a_wrong_mapping_names_the_entry(tmp_path: Path, fields: dict[str, Any], message: str) -> None:
    file = tmp_path / "mapping.toml"
    lines = ['entity = "dossier"', 'personal = ["SoDienThoai"]', "[fields]"]
    lines += [f"{name} = {_inline(rule)}" for name, rule in (MINIMAL | fields).items()]
    file.write_text("\n".join(lines))
    with pytest.raises(ConfigurationError, match=message) as caught:
        load_mapping(str(file))
    assert str(file) in str(caught.value)


def _inline(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value)


def test_an_unknown_preset_names_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match="presets are dvcqg"):
        load_mapping("dvc")


def test_first_of_with_conditions() -> None:
    chosen = mapping(
        status={"first_of": [{"constant": 9, "when": {"present": "end"}}, {"constant": 4}]},
        finished_at={"first_of": [{"from": "end"}, {"from": "no", "when": {"column": "status", "in": [4]}}]},
    )
    mapped = apply(chosen, end=["2022-01-01", "", None], no=["2022-02-02", "2022-02-02", ""])
    assert column(mapped, "status") == [9, 4, 4]
    assert [str(value)[:10] for value in column(mapped, "finished_at")] == ["2021-12-31", "2022-02-01", "None"]


def test_a_text_that_cannot_be_read_is_not_replaced_by_the_next_rule() -> None:
    chosen = mapping(due_at={"first_of": [{"from": "a"}, {"from": "b"}]})
    mapped = apply(chosen, a=["soon", ""], b=["2022-01-01", "2022-01-01"])
    assert column(mapped, "due_at")[0] is None
    [problem] = mapped.problems
    assert (problem.check, problem.field, problem.rows.tolist()) == ("bad_date", "a", [True, False])


def test_codes_match_words_in_any_form() -> None:
    chosen = mapping(channel={"from": "c", "codes": {"Trực tuyến": 2, "1": 1}})
    mapped = apply(chosen, c=["TRỰC TUYẾN", "Tr\u01b0\u0323c tuy\u00ea\u0301n", "1.0", " 1 ", "?", ""])
    assert column(mapped, "channel") == [2, 2, 1, 1, None, None]
    assert mapped.problems[0].rows.tolist() == [False, False, False, False, True, False]


def test_lists() -> None:
    chosen = mapping(
        supplements={"from": "l", "take": "count"},
        reused={"from": "l", "take": "any", "item": "a", "in": ["1", "2"]},
        e_result={"from": "l", "take": "any", "item": "b"},
        due_at={"from": "l", "take": "first", "item": "c"},
    )
    lists = ['[{"a": 0, "b": "", "c": "2022-01-02"}, {"a": 2}]', '[{"b": "x"}]', "[]", "", "{}", '["x"]']
    mapped = apply(chosen, l=lists)
    assert column(mapped, "supplements") == [2, 1, 0, None, None, None]
    assert column(mapped, "reused") == [True, False, False, None, None, None]
    assert column(mapped, "e_result") == [False, True, False, None, None, None]
    assert [value is not None for value in column(mapped, "due_at")] == [True, *[False] * 5]
    assert {problem.check for problem in mapped.problems} == {"bad_list"}
    assert "l" not in mapped.texts, "what lists hold is never kept"


def test_numbers_and_booleans() -> None:
    chosen = mapping(supplements={"from": "n"}, digitised={"from": "b"})
    mapped = apply(chosen, n=["3", "3.0", "2.5", "99999999999", "x"], b=["1", "Có", "FALSE", "không", "maybe"])
    assert column(mapped, "supplements") == [3, 3, None, None, None]
    assert column(mapped, "digitised") == [True, True, False, False, None]
    assert {problem.check for problem in mapped.problems} == {"bad_number", "unknown_code"}
