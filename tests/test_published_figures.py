"""The published figures of four reports, through the whole product: intake over HTTP, `ioc sync`, `ioc measure`.

Every figure of the reports' reference that a warehouse of dossiers can give is compared exactly, no tolerance.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import URL, create_engine, insert, text

from metrics import Clock, Period, Scope
from metrics.balance import balance
from tests.browser.stack import Stack, free_port
from tests.conftest import ROOT, TEMPLATE, shared
from warehouse.schema import reported_figure
from warehouse.settings import Settings
from warehouse.vocabulary import REPORT_FORM, ReportItem

FIVE_FIELDS = {
    "Nội vụ",
    "Hộ tịch",
    "Thành lập và hoạt động của hộ kinh doanh",
    "Quy hoạch xây dựng, kiến trúc",
    "Hoạt động xây dựng",
}
Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    figures: dict[str, Any] = json.loads(shared("vn_reported_figures/reference.json").read_text(encoding="utf-8"))[
        "figures"
    ]
    return figures


@pytest.fixture(scope="module")
def loaded(
    request: pytest.FixtureRequest, server_url: URL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A warehouse that has read one scenario over HTTP by the command line."""
    scenario = request.param
    name = "published_" + scenario.replace("-", "_")
    admin = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"create database {name} template {TEMPLATE}"))
    folder = tmp_path_factory.mktemp(name)
    stack = Stack(folder, server_url.set(database=name), free_port(), free_port(), scenario=scenario, compared=False)
    try:
        stack.start_intake()
        done = subprocess.run(
            [sys.executable, "-m", "dashboard.cli", "sync"],
            env=stack.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        yield stack
    finally:
        stack.close()
        with admin.connect() as connection:
            connection.execute(text(f"drop database {name} with (force)"))
        admin.dispose()


@pytest.fixture
def ask(loaded: Stack) -> Ask:
    """Ask `ioc measure` and return its rows."""

    def measure(*metrics: str, period: str, as_of: str, **options: str | tuple[str, ...]) -> list[dict[str, Any]]:
        words = [*metrics, "--period", period, "--as-of", as_of, "--format", "json"]
        for option, values in options.items():
            for value in (values,) if isinstance(values, str) else values:
                words += [f"--{option}", value]
        done = subprocess.run(
            [sys.executable, "-m", "dashboard.cli", "measure", *words],
            env={**os.environ, **loaded.environment}, cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        rows: list[dict[str, Any]] = json.loads(done.stdout)["rows"]
        return rows

    return measure


def value(rows: list[dict[str, Any]], metric: str) -> float:
    return float(next(row["value"] for row in rows if row["metric"] == metric))


def parts(rows: list[dict[str, Any]], metric: str) -> tuple[int, int]:
    row = next(row for row in rows if row["metric"] == metric)
    return row["numerator"], row["denominator"]


def of(scenario: str) -> pytest.MarkDecorator:
    """Run a test on the warehouse of one scenario."""
    return pytest.mark.parametrize("loaded", [scenario], indirect=True)


YEAR = {"period": "2022", "as_of": "2022-12-31T23:59:59+07:00"}
TO_DECEMBER = {"period": "2022-01-01/2022-12-05", "as_of": "2022-12-05T23:59:59+07:00"}


@of("binh-chanh-2022")
def test_binh_chanh_2022(loaded: Stack, ask: Ask, published: dict[str, Any]) -> None:
    told = published["binh_chanh_2022"]
    rows = ask("received", "resolved", "open", "carried_in", "balance", "satisfied_share", **YEAR)
    assert value(rows, "received") == told["received"]
    assert value(rows, "resolved") == told["solved"]
    assert value(rows, "open") == told["in_progress"]
    assert value(rows, "carried_in") == 0
    assert value(rows, "balance") == 0
    assert value(rows, "satisfied_share") > 0.99

    partly = ask("online_share_eligible", filter="online_level=3", **YEAR)
    assert parts(partly, "online_share_eligible") == (told["online3"], told["online3_of"])
    assert f"{value(partly, 'online_share_eligible') * 100:.2f}".replace(".", ",") == told["online3_pct_stated"]
    fully = ask("online_share_eligible", filter="online_level=4", **YEAR)
    assert parts(fully, "online_share_eligible") == (told["online4"], told["online4"])

    fields = ask("received", "resolved", "open", by="field", **YEAR)
    five = {row["field"] for row in fields if row["field_name"] in FIVE_FIELDS}
    assert len(five) == len(FIVE_FIELDS)
    post = ask("post_in_share", "post_out_share", filter=f"field={','.join(sorted(five))}", **YEAR)
    assert parts(post, "post_in_share") == (told["post_in"], told["post_in_of"])
    assert parts(post, "post_out_share") == (told["post_out"], told["post_out_of"])
    still_open = {row["field_name"] for row in fields if row["metric"] == "open" and row["value"]}
    assert still_open == {"Đất đai", "Giải quyết khiếu nại, tố cáo"}

    communes = ask("received", by="unit", filter="unit_kind=commune", **YEAR)
    assert len(communes) == told["communes"]
    assert all(row["value"] > 0 for row in communes)
    assert sum(row["value"] for row in communes) == told["received"]
    levels = loaded.count("select level, count(*) from procedure group by level")
    assert levels == {"district": told["procedures_district"], "commune": told["procedures_commune"]}


def handled_in_time(ask: Ask, kind: str, told: dict[str, Any]) -> list[dict[str, Any]]:
    """Compare what Gia Lâm says of one level, and return the rows that were asked for it."""
    names = ("carried_in", "received", "resolved", "resolved_late", "open", "overdue", "balance")
    rows = ask(*names, filter=f"unit_kind={kind}", **TO_DECEMBER)
    assert value(rows, "carried_in") == told["carried_over"]
    assert value(rows, "received") == told["newly_received"]
    assert value(rows, "carried_in") + value(rows, "received") == told["handled"]
    assert value(rows, "resolved") == told["solved_on_time"]
    assert value(rows, "resolved_late") == 0
    assert value(rows, "open") == told["in_progress_in_time"]
    assert value(rows, "overdue") == 0
    return rows


@of("gia-lam-2022")
def test_gia_lam_2022_district(loaded: Stack, ask: Ask, published: dict[str, Any]) -> None:
    told = published["gia_lam_2022_district"]
    rows = handled_in_time(ask, "district", told)
    assert value(rows, "balance") == 0
    online = ask("online_share_eligible", filter=("unit_kind=district", "online_level=3,4"), **TO_DECEMBER)
    assert parts(online, "online_share_eligible") == (told["online34"], told["online34"])
    levels = loaded.count("select level, count(*) from procedure group by level")
    split = published["gia_lam_2022_procedures"]
    assert levels == {key: split[key] for key in ("district", "commune", "interlinked")}
    interlinked = loaded.count(
        "select d.unit, count(*) from dossier d join procedure p on p.code = d.procedure"
        " where p.level = 'interlinked' and d.received_at >= '2022-01-01T00:00:00+07:00' group by d.unit"
    )
    assert interlinked["018"] == told["interlinked"]


@of("gia-lam-2022")
def test_gia_lam_2022_communes_and_their_gap(loaded: Stack, ask: Ask, published: dict[str, Any]) -> None:
    told = published["gia_lam_2022_communes"]
    rows = handled_in_time(ask, "commune", told)
    assert value(rows, "balance") == told["handled"] - told["solved_on_time"] - told["in_progress_in_time"] == 9
    online = ask("online_share", filter=("unit_kind=commune", "online_level=3"), **TO_DECEMBER)
    assert parts(online, "online_share")[0] == told["online3"]
    communes = ask("received", by="unit", filter="unit_kind=commune", **TO_DECEMBER)
    assert len(communes) == published["gia_lam_2022_district"]["communes"]


@of("gia-lam-2022")
def test_gia_lam_2022_balance_as_computed_and_as_reported(loaded: Stack, published: dict[str, Any]) -> None:
    """The published sums of the communes are short by 9, and so are the dossiers: both show it, and they agree."""
    told, settings = published["gia_lam_2022_communes"], Settings()
    items = {
        ReportItem.RECEIVED_TOTAL: told["handled"],
        ReportItem.CARRIED_IN: told["carried_over"],
        ReportItem.RESOLVED_TOTAL: told["solved_on_time"],
        ReportItem.OPEN_TOTAL: told["in_progress_in_time"],
    }
    period = Period.parse(TO_DECEMBER["period"], settings.zone)
    key = {"source": "bao-cao", "unit": "018", "form": REPORT_FORM, "period": period.text, "field": "Cấp xã"}
    rows = [
        {**key, "item": item, "value": value, "seen_at": period.end, "payload_hash": ""}
        for item, value in items.items()
    ]
    engine = create_engine(loaded.database)
    with engine.begin() as connection:
        connection.execute(insert(reported_figure), rows)
        frame = balance(connection, clock=Clock.of(settings), period=period, as_of=period.end, scope=Scope.of({"018"}))
    engine.dispose()
    level = frame[frame["level"] == "commune"].iloc[0]
    assert (level["total"], level["resolved"], level["open"]) == (82_861, 82_567, 285)
    assert (level["balance"], level["reported_balance"], level["gap"]) == (9, 9, 0)
    desk = frame[(frame["unit"] == "018") & (frame["level"] == "")].iloc[0]
    assert (desk["total"], desk["balance"]) == (16_103, 0)
    communes = frame[(frame["unit"] != "018") & (frame["level"] == "")]
    assert communes["balance"].sum() == 9


@of("vu-ban-2022h1")
def test_vu_ban_2022h1(loaded: Stack, ask: Ask, published: dict[str, Any]) -> None:
    told = published["vu_ban_2022"]
    question = {"period": "2022H1", "as_of": "2022-06-30T23:59:59+07:00"}
    rows = ask("online_share", "resolved", "resolved_late", "overdue", "on_time_06", **question)
    assert parts(rows, "online_share") == (told["online"], told["online_of"])
    assert str(int(value(rows, "online_share") * 1000) / 10).replace(".", ",") == told["online_pct_stated"]
    assert value(rows, "resolved_late") == value(rows, "overdue") == 0
    assert value(rows, "on_time_06") == 1
    units = ask("received", by="unit", **question)
    assert len(units) == told["bridge_points"]
    assert len(ask("received", by="unit", filter="unit_kind=commune", **question)) == told["bridge_points_communes"]


@of("tphcm-2018")
def test_tphcm_2018(loaded: Stack, ask: Ask, published: dict[str, Any]) -> None:
    told = published["hcmc_2018"]
    rows = ask("received", "online_share_eligible", period="2018", as_of="2018-12-31T23:59:59+07:00")
    assert value(rows, "received") == told["dossiers"]
    assert parts(rows, "online_share_eligible") == (told["online"], told["dossiers"])
    assert f"{value(rows, 'online_share_eligible') * 100:.0f}" == told["online_pct_stated"]
    levels = loaded.count("select online_level::text, count(*) from procedure group by online_level")
    assert levels == {"3": told["level3"], "4": told["level4"]}
    assert sum(levels.values()) == told["services"]


def form06(loaded: Stack, by: str, **options: str) -> dict[str, Any]:
    """Form II.06 as `ioc form06` prints it, with its total taken off the rows."""
    words = [word for option, given in options.items() for word in (f"--{option.replace('_', '-')}", given)]
    done = subprocess.run(
        [sys.executable, "-m", "dashboard.cli", "form06", "--by", by, "--format", "json", *words],
        env={**os.environ, **loaded.environment}, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    form: dict[str, Any] = json.loads(done.stdout)
    form["total"] = form["rows"].pop()
    for column in form["columns"]:
        assert sum(row[column["item"]] for row in form["rows"]) == form["total"][column["item"]], column
    return form


@of("binh-chanh-2022")
def test_form_06_of_binh_chanh_2022(loaded: Stack, published: dict[str, Any]) -> None:
    told = published["binh_chanh_2022"]
    fields, units = form06(loaded, "field", **YEAR), form06(loaded, "unit", **YEAR)
    for form in (fields, units):
        total = form["total"]
        assert total["received_total"] == told["received"]
        assert total["resolved_total"] == told["solved"]
        assert total["open_total"] == told["in_progress"]
        assert all(finding["difference"] == 0 for finding in form["findings"])
    assert {k: v for k, v in fields["total"].items() if isinstance(v, int)} == {
        k: v for k, v in units["total"].items() if isinstance(v, int)
    }
    assert sum(row["received_total"] > 0 for row in units["rows"]) == told["communes"]


@of("gia-lam-2022")
def test_form_06_shows_the_gap_of_gia_lam_2022(loaded: Stack, published: dict[str, Any]) -> None:
    told = published["gia_lam_2022_communes"]
    form = form06(loaded, "unit", filter="unit_kind=commune", **TO_DECEMBER)
    assert form["total"]["carried_in"] == told["carried_over"]
    assert form["total"]["received_total"] == told["handled"]
    assert form["total"]["resolved_total"] == told["solved_on_time"]
    assert form["total"]["open_in_time"] == told["in_progress_in_time"]
    [gap] = [finding for finding in form["findings"] if finding["row"] == "" and finding["identity"] == "balance"]
    assert (gap["gap"], gap["difference"]) == (9, 9)
