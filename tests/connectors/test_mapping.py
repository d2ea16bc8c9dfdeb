"""The mapping language: what it accepts, what it refuses, and that presets drop every personal field."""

from __future__ import annotations

import json
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


def test_a_template_joins_fields() -> None:
    chosen = mapping(procedure={"text": "{a}/{b:03}-{c?}"})
    mapped = apply(chosen, a=["x", "x", None, "x"], b=["7", "12.0", "1", None], c=["z", "", "z", "z"])
    assert column(mapped, "procedure") == ["x/007-z", "x/012-", None, None]


def test_a_template_of_a_date_and_a_time_is_a_date() -> None:
    mapped = apply(mapping(due_at={"text": "{d} {t}"}), d=["2022-01-01", "2022-01-01"], t=["08:30", ""])
    assert [str(value)[:16] for value in column(mapped, "due_at")] == ["2022-01-01 01:30", "None"]


def test_a_pattern_finds_a_part_of_a_text() -> None:
    chosen = mapping(
        procedure={"from": "a", "pattern": "(?P<code>[0-9][.][0-9]{6})"},
        field={"from": "p", "pattern": "Q(?P<q>[1-4])[-_](?P<y>20[0-9]{2})", "text": "{y}Q{q}"},
    )
    mapped = apply(chosen, a=["TTHC 1.000110 (mới)", "không có", ""], p=["Q3-2022", "Q9-2022", None])
    assert column(mapped, "procedure") == ["1.000110", None, None]
    assert column(mapped, "field") == ["2022Q3", None, None]
    assert {(item.check, item.field, tuple(item.rows)) for item in mapped.problems} == {
        ("bad_pattern", "a", (False, True, False)), ("bad_pattern", "p", (False, True, False)),
    }  # fmt: skip


def test_words_that_are_in_no_list() -> None:
    chosen = mapping(
        receiving_unit={"from": "r", "codes": {"H29": "27001"}, "other": "keep"},
        status={"from": "s", "codes": {"xong": 9}, "other": "empty"},
    )
    mapped = apply(chosen, r=["h29", "27002", ""], s=["XONG", "lạ", ""])
    assert column(mapped, "receiving_unit") == ["27001", "27002", None]
    assert column(mapped, "status") == [9, None, None]
    assert mapped.problems == ()


def test_an_item_of_an_object() -> None:
    chosen = mapping(procedure={"from": "o", "item": "procedure.code"})
    mapped = apply(
        chosen, o=['{"procedure": {"code": 1.5}}', '{"procedure": null}', "[]", "", '{"procedure.code": "x"}']
    )
    assert column(mapped, "procedure") == ["1.5", None, None, None, "x"]
    assert [(item.check, item.rows.tolist()) for item in mapped.problems] == [
        ("bad_list", [False, False, True, False, False])
    ]
    assert "o" not in mapped.texts


def test_an_object_of_numbers() -> None:
    chosen = SourceMapping(
        entity="survey_answer",  # type: ignore[arg-type]
        fields={  # type: ignore[arg-type]
            "id": {"from": "id"}, "unit": {"from": "u"}, "answered_at": {"constant": "2022-01-01T00:00:00Z"},
            "scale": {"constant": "form_012"}, "aspects": {"object": {"1": "a", "2": "b"}},
        },
    )  # fmt: skip
    mapped = apply(chosen, a=["0", "2", "", "x"], b=["1", "", "", "2"])
    assert column(mapped, "aspects") == ['{"1": 0, "2": 1}', '{"1": 2}', None, None]
    assert [(item.check, item.field, item.rows.tolist()) for item in mapped.problems] == [
        ("bad_number", "a", [False, False, False, True])
    ]


FIGURES: dict[str, Any] = {
    "unit": {"from": "u"}, "form": {"constant": "f"}, "period": {"from": "$file", "pattern": "(?P<p>20[0-9]{2})"},
    "field": {"constant": ""},
}  # fmt: skip
EACH: dict[str, Any] = {"item": {"item": "name"}, "value": {"item": "value"}}


def figures(**tables: Any) -> SourceMapping:  # noqa: ANN401
    return SourceMapping(entity="reported_figure", fields=FIGURES, **tables)  # type: ignore[arg-type]


def test_a_wide_record_is_several_rows() -> None:
    chosen = figures(rows=[{"wide": {"b": "B", "a": "A"}, "fields": EACH}])
    frame = pd.DataFrame({name: text_column(text_array(values)) for name, values in
                          {"u": ["1", "2"], "A": ["10", ""], "B": ["x", "20"]}.items()})  # fmt: skip
    mapped = apply_mapping(chosen, Batch(frame, [Stretch(0, "nam-2022.csv row", 2)], None), ZONE)
    assert list(zip(mapped.frame["unit"], mapped.frame["item"], mapped.frame["period"], strict=True)) == [
        ("1", "b", "2022"), ("1", "a", "2022"), ("2", "b", "2022"),
    ]  # fmt: skip
    assert column(mapped, "value") == [None, 10, 20]
    assert [mapped.place(row) for row in range(3)] == ["nam-2022.csv row 2", "nam-2022.csv row 2", "nam-2022.csv row 3"]
    assert mapped.payload(1) == ({"$file": "nam-2022.csv", "A": "10", "B": None, "u": "1"}, True)


@pytest.mark.parametrize("text", ["{}", "7", "[1]", None])
def test_a_record_whose_list_cannot_be_read_is_one_refused_row(text: str | None) -> None:
    chosen = figures(rows=[{"list": "l", "fields": {"item": {"item": "n"}, "value": {"item": "v"}}}])
    mapped = apply(chosen, l=[text, '[{"n": "a", "v": 1}, {"n": "b", "v": 2, "who": "Nguyễn Văn A"}]'])
    assert len(mapped.frame) == 3
    assert [(item.check, item.rows.tolist()) for item in mapped.problems if item.check == "bad_list"] == [
        ("bad_list", [False, False, True])
    ]
    kept, complete = mapped.payload(1)
    assert complete
    assert json.loads(kept["l"] or "") == [{"#": 2, "n": "b", "v": 2}], "that element, and no item that no rule names"


@pytest.mark.parametrize("entity", ["external_score", "reported_figure"])
def test_what_is_kept_of_a_row_gives_the_same_row_again(entity: str) -> None:
    fields = FIGURES if entity == "reported_figure" else {name: FIGURES[name] for name in ("unit", "period")}
    value = "value" if entity == "reported_figure" else "score"
    named = {"item": {"item": "name"}, value: {"item": "value"}}
    rows = [
        {"wide": {"T": "t", "S": "s"}, "fields": named}, {"entries": "e", "fields": named},
        {"list": "l", "fields": {"item": {"text": "{[].n}#{[].#}"}, value: {"item": "v"}}},
    ]  # fmt: skip
    chosen = SourceMapping(entity=entity, fields=fields, rows=rows)  # type: ignore[arg-type]
    columns = {
        "id": ["1"], "u": ["1"], "t": ["5"], "s": ["6"], "e": ['{"x": 1, "y": 2}'],
        "l": ['[{"n": "a", "v": 3}, {"n": "b", "v": 4}]'],
    }  # fmt: skip
    frame = pd.DataFrame({name: text_column(text_array(values)) for name, values in columns.items()})
    whole = apply_mapping(chosen, Batch(frame, [Stretch(0, "2022.json item", 1)], None), ZONE)
    assert len(whole.frame) == 6
    for row in range(6):
        kept, complete = whole.payload(row)
        assert complete
        again = pd.DataFrame({name: text_column(text_array([text])) for name, text in kept.items()})
        one = apply_mapping(chosen, Batch(again, [Stretch(0, "quarantine item", 1)], None), ZONE)
        assert one.problems == ()
        pd.testing.assert_frame_equal(one.frame, whole.frame.iloc[[row]].reset_index(drop=True))


def test_records_that_are_none_of_ours() -> None:
    chosen = SourceMapping(entity="dossier", where={"field": "k", "in": [1, "có"]}, fields=MINIMAL)  # type: ignore[arg-type]
    mapped = apply(chosen, k=["1", "0", "CÓ", None])
    assert column(mapped, "code") == ["0", "2"]
    assert [mapped.place(row) for row in range(2)] == ["row 1", "row 3"]


def test_what_is_too_long_is_not_kept_whole() -> None:
    mapped = apply(mapping(procedure={"from": "p"}), p=["x" * 3000, "y"])
    kept, complete = mapped.payload(0)
    assert not complete
    assert len(kept["p"] or "") < 300
    assert mapped.payload(1)[1]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"procedure": {"text": "plain"}}, "text has no"),
        ({"procedure": {"text": "{a}", "from": "b"}}, "either from or constant"),
        ({"procedure": {"pattern": "(?P<a>x)"}}, "pattern needs from|either from"),
        ({"procedure": {"from": "a", "pattern": "x"}}, "named group"),
        ({"procedure": {"from": "a", "pattern": "(?P<a>x"}}, "no expression"),
        ({"procedure": {"from": "a", "pattern": "(?P<a>x)(?P<b>y)"}}, "several groups"),
        ({"procedure": {"from": "a", "pattern": "(?P<a>x)", "text": "{b}"}}, "no group for"),
        ({"procedure": {"item": "a"}}, "item needs from"),
        ({"procedure": {"object": {"a": "b"}}}, "gives something else"),
        ({"status": {"from": "a", "codes": {"x": 1}, "other": "keep"}}, "gives something else"),
        ({"procedure": {"from": "a", "when": {"field": "b"}}}, "together with in"),
        ({"procedure": {"text": "{SoDienThoai}"}}, "personal fields"),
        ({"procedure": {"from": "l", "take": "first", "item": "SoDienThoai"}}, "personal fields"),
    ],
)
def test_what_does_not_go_together_is_said(tmp_path: Path, fields: dict[str, Any], message: str) -> None:
    test_a_wrong_mapping_names_the_entry(tmp_path, fields, message)


def write(tmp_path: Path, name: str, text: str) -> str:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return str(tmp_path / name)


def test_a_mapping_that_extends_another(tmp_path: Path) -> None:
    own = write(
        tmp_path, "own.toml",
        'extends = "dvcqg"\nwithout = ["payment", "reused"]\npersonal = ["HoTen"]\n[codes.unit]\n"H29" = "27001"\n'
        '[codes.status]\n"xong" = 9\n[fields]\nreceived_at = { from = "NgayNhan" }\n',
    )  # fmt: skip
    chosen, base = load_mapping(own), load_mapping("dvcqg")
    assert set(base.fields) - set(chosen.fields) == {"payment", "reused"}
    assert chosen.fields["received_at"].source == "NgayNhan"
    assert {"HoTen", "ChuHoSo"} <= set(chosen.personal)
    assert chosen.codes["unit"] == {"H29": "27001"}
    assert chosen.codes["status"] == base.codes["status"] | {"xong": 9}
    further = write(tmp_path, "further.toml", 'extends = "own.toml"\nfirst_letter = "lower"\n')
    assert load_mapping(further).fields["received_at"].source == "ngayNhan"
    assert "chuHoSo" in load_mapping(further).personal
    assert load_mapping(further).nested_fields["danhSachHoSoBoSung"] >= {"ngayBoSung", "ngayHenTraMoi"}


def test_extending_what_is_not_there_or_in_a_circle(tmp_path: Path) -> None:
    for text, message in (
        ('extends = "nowhere"', "presets are"),
        ('extends = "own.toml"', "extended more than"),
        ('extends = "dvcqg"\nwithout = ["colour"]', "colour is no column"),
        ('extends = "dvcqg"\nfirst_letter = "big"', "lower or upper"),
    ):
        own = write(tmp_path, "own.toml", text)
        with pytest.raises(ConfigurationError, match=message):
            load_mapping(own)
