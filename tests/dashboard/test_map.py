"""The map: classes and their words, labels that do not collide, places, and the page in every state."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from itertools import combinations, pairwise

import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box
from sqlalchemy import Engine, insert, text, update
from streamlit.testing.v1 import AppTest

from dashboard import map_layers
from dashboard.map_ask import CHOICES, is_few
from dashboard.map_classes import classes_of, step, value_text
from dashboard.map_labels import HIDDEN, LETTER, LINE, Label, Paper, fit_label, labels_of
from dashboard.map_layers import LAYER, polygon_rows, view_of
from dashboard.map_places import Place, Places, framed
from dashboard.maps import UNKNOWN
from metrics import METRICS
from tests.dashboard.conftest import COMMUNES, fill
from tests.dashboard.test_pages import words
from warehouse import schema
from warehouse.geometry_shape import Part

Application = Callable[..., AppTest]
COUNTS = st.lists(st.integers(0, 5000), min_size=1, max_size=60)


def place(west: float, south: float, east: float, north: float) -> Place:
    ring = [west, south, east, south, east, north, west, north, west, south]
    text_of = ",".join(map(str, ring))
    return Place((Part(ring),), ((west + east) / 2, (south + north) / 2), east - west, (f"[{text_of}]",))


@given(COUNTS, st.sampled_from(sorted(CHOICES)))
@settings(max_examples=150, deadline=None)
def test_every_value_is_in_the_class_whose_words_hold_it(counts: list[int], metric: str) -> None:
    values = [count * step(metric) for count in counts]
    classes = classes_of(metric, values)
    said = classes.words(metric, "en")
    assert list(classes.bounds) == sorted(set(classes.bounds))
    assert len(said) == len(classes.bounds) + 1 == len(classes.colours(dark=False))
    assert len(set(said)) == len(said)
    for value in values:
        index = classes.index(value)
        assert (classes.bounds[index - 1] if index else 0) <= value
        assert index == len(classes.bounds) or value < classes.bounds[index]


def test_words_of_classes() -> None:
    assert classes_of("overdue", [0, 0, 1, 1, 2, 3, 5, 30]).words("overdue", "vi") == ["0", "1", "2", "3–4", "≥ 5"]
    shares = [0.5, 0.8, 0.9, 0.95, 0.97, 0.99, 1, 1, 1, 1]
    said = classes_of("on_time_06", shares).words("on_time_06", "vi")
    assert said[0].startswith("< ")
    assert said[-1] == "100,0\u00a0%"
    assert "–" in said[1]
    assert classes_of("overdue", []).words("overdue", "vi") == ["0", "≥ 1"]


def test_unknown_has_a_colour_of_its_own() -> None:
    classes = classes_of("overdue", [0, 1, 5])
    for dark in (False, True):
        assert classes.colour(None, dark=dark) == classes.colour(float("nan"), dark=dark) == UNKNOWN[dark]
        assert UNKNOWN[dark] not in classes.colours(dark=dark)


def test_values_are_written_with_their_units() -> None:
    written = {
        ("overdue", 1234.0): "1.234",
        ("on_time_06", 0.8736): "87,4\u00a0%",
        ("median_duration", 216_000.0): "2,5\u00a0ngày",
        ("mean_working_time", 9_000.0): "2,5\u00a0giờ làm việc",
        ("backlog_days", 2.25): "2,2\u00a0ngày làm việc",
        ("mean_score_three", 2.714): "2,71",
    }
    assert {key: value_text(*key, "vi") for key in written} == written
    assert value_text("overdue", None, "vi") == value_text("overdue", float("nan"), "vi") == "–"


def test_every_choice_is_a_metric_and_has_one_group() -> None:
    assert set(CHOICES) <= set(METRICS)
    assert is_few("on_time_06", 4)
    assert not is_few("on_time_06", 5)
    assert not is_few("overdue", float("nan"))


SIDES = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(1, 12), st.integers(1, 12))


@given(st.lists(SIDES, min_size=1, max_size=40, unique=True))
@settings(max_examples=80, deadline=None)
def test_labels_that_are_read_do_not_touch(sides: list[tuple[int, int, int, int]]) -> None:
    found = {
        str(n): place(106 + x / 40, 10 + y / 40, 106 + (x + w) / 40, 10 + (y + h) / 40)
        for n, (x, y, w, h) in enumerate(sides)
    }
    places = framed(Places(found, schematic=False, box=(0, 0, 0, 0)))
    scale = map_layers.scale_of(view_of(places.box, 880, 465, tilted=False))
    rows = {code: {"fill": [255, 255, 255, 255]} for code in found}
    labels = [Label(code, f"Phường Tân Thới Hiệp {code}", "12,5 %") for code in found]
    fixed, growing = labels_of(labels, places, Paper(scale, dark=False, inside=False), rows, {})
    assert len(fixed) + len(growing) == len(found)
    boxes = []
    for row in fixed:
        lines = row["label"].split("\n")
        wide, high = LETTER * row["size"] * max(map(len, lines)) / 2, LINE * row["size"] * len(lines) / 2
        x, y = row["spot"][0] * scale, row["spot"][1] * scale / 0.98
        boxes.append(box(x - wide, y - high, x + wide, y + high))
    assert not any(one.intersects(other) for one, other in combinations(boxes, 2))
    assert all(row["size"] * scale / map_layers.METRES <= HIDDEN * 1.05 for row in growing)


def test_a_name_is_broken_where_that_makes_it_larger() -> None:
    assert fit_label("Phường Tân Thới Hiệp", 50)[0] == ["Tân Thới", "Hiệp"]
    assert fit_label("Xã An Phú", 200) == (["An Phú"], 12.5)
    assert fit_label("Phường 12", 200)[0] == ["Phường 12"]


def test_far_islands_come_into_an_inset() -> None:
    near = {
        f"{x}{y}": place(106 + x / 10, 10 + y / 10, 106.1 + x / 10, 10.1 + y / 10) for x in range(4) for y in range(4)
    }
    far = place(109, 8, 109.05, 8.05)
    places = framed(Places({**near, "far": far}, schematic=False, box=(0, 0, 0, 0)))
    assert places.inset == ("far",)
    assert places.frame is not None
    assert shapely.box(*places.frame).contains(shapely.box(*places.found["far"].box))
    assert places.box == pytest.approx((106, 10, 106.4, 10.4))
    whole = framed(Places(near, schematic=False, box=(0, 0, 0, 0)))
    assert (whole.inset, whole.frame) == ((), None)


def test_rows_are_json_with_holes_and_signs() -> None:
    holed = Place((Part([0, 0, 9, 0, 9, 9, 0, 0]),), (5, 3), 4, ('{"positions":[0,0],"holeIndices":[2]}', "[1,2]"))
    rows = json.loads(polygon_rows(Places({"a": holed}, False, (0, 0, 9, 9)), {"a": {"name": 'Xã "Một"</script>'}}))
    assert [row["polygon"] for row in rows] == [{"positions": [0, 0], "holeIndices": [2]}, [1, 2]]
    assert {row["name"] for row in rows} == {'Xã "Một"</script>'}


def spec(test: AppTest) -> dict[str, object]:
    """Return what the page gave to deck.gl."""
    found = json.loads(test.get("deck_gl_json_chart")[0].proto.json)
    assert isinstance(found, dict)
    return found


def units_drawn(test: AppTest) -> dict[str, str]:
    """Return the words of the hover text of each unit on the map."""
    layers = spec(test)["layers"]
    assert isinstance(layers, list)
    return {row["name"]: row["text"] for layer in layers if layer["id"] == LAYER for row in layer["data"]}


def test_the_map_shows_the_figures_of_the_rows(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    test = application("ban-do")
    assert not test.exception
    with engine.connect() as connection:
        late = connection.execute(
            text(
                "select u.name, count(*) filter (where finished_at is null and due_at < :now) from unit u"
                " left join dossier d on d.unit = u.code where u.kind = 'commune' group by 1"
            ),
            {"now": now},
        )
        assert units_drawn(test) == {name: str(count) for name, count in late}
    assert "Sơ đồ, không phải địa giới" in words(test)
    table = test.dataframe[0].value
    assert sorted(table["unit"]) == sorted(COMMUNES.values())
    assert list(table["value"]) == sorted(table["value"], reverse=True)


def test_boundaries_take_the_place_of_the_schematic(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    shapes = [box(106.4 + n / 10, 10.5, 106.5 + n / 10, 10.6) for n in range(2)]
    with engine.begin() as connection:
        rows = [
            {"code": code, "valid_from": datetime(2004, 1, 1).date(), "geometry": shapely.to_wkb(shape), "vertices": 5,  # noqa: DTZ001
             "source": "x", "imported_at": now}
            for code, shape in zip(COMMUNES, shapes, strict=False)
        ]  # fmt: skip
        connection.execute(insert(schema.unit_geometry), rows)
    test = application("ban-do")
    assert not test.exception
    assert set(units_drawn(test)) == {"Thị trấn Một", "Xã Hai"}
    assert "Địa giới đã nhập" in words(test)
    assert "Chưa có trên bản đồ: Xã Ba" in words(test)
    assert len(test.dataframe[0].value) == 3


def test_units_without_places(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    with engine.begin() as connection:
        connection.execute(update(schema.unit).values(lat=None, lon=None))
    for path in ("ban-do", "tong-quan"):
        test = application(path)
        assert not test.exception
    test = application("ban-do")
    assert "Chưa đơn vị nào có vị trí" in words(test)
    assert len(test.dataframe[0].value) == 3


def test_one_unit_and_columns(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now, units=1, dossiers=6)
    test = application("ban-do", style="columns")
    assert not test.exception
    layers = spec(test)["layers"]
    assert isinstance(layers, list)
    assert "columns" in {layer["id"] for layer in layers}


def test_every_metric_can_be_drawn(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    test = application("ban-do")
    for metric in CHOICES:
        test.query_params["metric"] = metric
        test.run()
        assert not test.exception, metric
        assert len(units_drawn(test)) == 3, metric


def test_a_month_shows_that_month_with_the_classes_of_all(
    application: Application, engine: Engine, now: datetime
) -> None:
    fill(engine, now)
    whole = application("ban-do", metric="received")
    options = list(whole.select_slider[0].options)
    assert len(options) == 13
    months = [pd.Period(f"{option[3:]}-{option[:2]}") for option in options[1:]]
    assert all(later - earlier == pd.offsets.MonthEnd(1) for earlier, later in pairwise(months))
    sums = 0
    for month in months:
        test = application("ban-do", metric="received", month=str(month))
        assert not test.exception
        shown = units_drawn(test)
        sums += sum(int(value) for value in shown.values() if value.isdigit())
    assert sums == 60


def test_nonsense_in_the_url(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    test = application("ban-do", metric="<b>", month="2026-99", style="x", order="y", period="nonsense")
    assert not test.exception
    assert not test.error
    assert len(units_drawn(test)) == 3


def test_a_filter_that_a_figure_does_not_have_is_said(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    test = application("ban-do", metric="satisfied_share", fields="HT")
    assert not test.exception
    assert "không lọc được" in words(test) or len(units_drawn(test)) == 3
