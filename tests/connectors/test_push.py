"""What is pushed to us: who is let in, which forms of a call are understood; nothing is lost, nothing stored twice."""

from __future__ import annotations

import base64
import json
import logging
import random
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, Table, select

from connectors import steps
from connectors.checks import CHECKS
from connectors.push import PushDoor, Reply
from connectors.push.replies import REASONS
from connectors.state import Freshness, source_states
from connectors.sync import sync_all, sync_source
from connectors.worker import Worker
from tests.cells import cells, cells_anew
from tests.connectors.pushing import (
    PASSWORD,
    USERNAME,
    adapter_client_is_content,
    bare,
    call,
    codes_of,
    list_client_is_content,
    push_source,
    reader,
    sent,
    step,
    text_client_is_content,
)
from tests.connectors.support import CLOCKS, NOW, insert_units, record, settings_of, table_rows
from warehouse import schema
from warehouse.engine import open_engine
from warehouse.errors import ConfigurationError
from warehouse.schema import dossier, dossier_step, quarantine, sync_run
from warehouse.sources import SourceSettings
from warehouse.vocabulary import Entity, RunKind, RunState

BOTH = (push_source(), push_source(Entity.DOSSIER_STEP))
BASIC = {"authorization": "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()}


def door_of(engine: Engine, *sources: SourceSettings) -> PushDoor:
    return PushDoor(engine, settings_of(*(sources or BOTH)))


@pytest.fixture
def door(warehouse: Engine) -> PushDoor:
    """A door for dossiers and steps of one account."""
    return door_of(warehouse)


def login(door: PushDoor, username: str = USERNAME, password: str = PASSWORD, **options: Any) -> Reply:  # noqa: ANN401
    return door.answer(sent({"username": username, "password": password}, "/login", **options))


def session_of(door: PushDoor, **options: Any) -> str:  # noqa: ANN401
    return str(login(door, **options).body["session"])


def push(door: PushDoor, records: Any, **options: Any) -> Reply:  # noqa: ANN401
    return door.answer(sent(call(records, session_of(door), **options)))


def contents(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every table but the clocks and the record of runs."""
    tables = [table for table in schema.metadata.sorted_tables if table.name not in {"sync_run", "data_state"}]
    return {table.name: table_rows(engine, table, without=tuple(CLOCKS)) for table in tables}


def runs(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(sync_run).order_by(sync_run.c.id)).all())


# --- the exchange as real systems make it -------------------------------------------------------------------------


def test_a_system_that_speaks_through_the_adapter(warehouse: Engine, door: PushDoor) -> None:
    entered = login(door)
    assert (entered.status, int(str(entered.body["error_code"]))) == (200, 0)
    session = str(entered.body["session"])
    ask = call(None, session, service="TraCuuHoSo", mahoso="H29.27-220301-0001")
    assert door.answer(sent(ask)).body["result"] == []

    new = door.answer(sent(call([record()], session, isUpdating="False")))
    assert adapter_client_is_content(new), new.body
    assert len(door.answer(sent(ask)).body["result"]) == 1

    steps_of = {"session": session, "madonvi": "x", "service": "CapNhatTienDoHoSoMC", "data": [step()]}
    assert adapter_client_is_content(door.answer(sent(steps_of)))
    assert [row.code for row in _rows(warehouse, dossier)] == ["H29.27-220301-0001"]
    row = _rows(warehouse, dossier_step)[0]
    assert (row.code, row.department, row.status) == ("H29.27-220301-0001", "Bộ phận Một cửa", 2)


def test_a_system_that_posts_the_bare_list(warehouse: Engine, door: PushDoor) -> None:
    """Address with service, agency and isUpdating; user name and password in the address, so in a header."""
    where = {"path": "/api/SynsTTHCC/DongBoHoSoMC", "query": {"MaDinhDanhDV": "000.00.01.H22", "isUpdating": "True"}}
    reply = door.answer(sent([bare(1), bare(2)], headers=BASIC, **where))
    assert list_client_is_content(reply), reply.body
    assert [row.status for row in _rows(warehouse, dossier)] == [10, 10]
    steps_of = door.answer(sent([step(1)] * 2 + [step(1, TrangThai="9")], "/CapNhatTienDoHoSoMC", headers=BASIC))
    assert text_client_is_content(json.dumps(steps_of.body, ensure_ascii=False))
    assert len(_rows(warehouse, dossier_step)) == 2


def test_without_credentials_the_bare_list_is_asked_for_them(door: PushDoor) -> None:
    reply = door.answer(sent([bare()], "/DongBoHoSoMC"))
    assert reply.status == 401
    assert reply.headers["WWW-Authenticate"].startswith("Basic ")


def test_a_known_dossier_sent_as_new_is_stored_and_no_reason_to_send_it_again(
    warehouse: Engine, door: PushDoor
) -> None:
    for status in ("2", "4"):
        reply = push(door, [record(TrangThaiHoSo=status, NgayCapNhat=f"2022030{status}090000")], isUpdating="False")
        assert adapter_client_is_content(reply)
        assert "đã tồn tại" not in reply.body["message"]
    assert [row.status for row in _rows(warehouse, dossier)] == [4]


def test_forms_of_data(warehouse: Engine, door: PushDoor) -> None:
    session = session_of(door)
    bodies = [
        call([record(1)], session),
        call(record(2), session),
        call(json.dumps([record(3)]), session),
        call(json.dumps(record(4), ensure_ascii=False), session),
        {"Session": session, "MADONVI": "x", "Service": "dongbohosomc", "Data": [record(5)]},
        call([record(6, TenTTHC="nửa ký tự \ud800")], session),
    ]
    for number, body in enumerate(bodies, 1):
        assert adapter_client_is_content(door.answer(sent(json.dumps(body).encode()))), number
        assert len(_rows(warehouse, dossier)) == number


def test_places_of_service_and_session(warehouse: Engine, door: PushDoor) -> None:
    session = session_of(door)
    calls = [
        sent([record(1)], "/DongBoHoSoMC/", headers={"session": session}),
        sent([record(2)], "", query={"service": "DongBoHoSoMC"}, headers={"authorization": f"Bearer {session}"}),
        sent(record(3), "/a/b/dongbohosomc", headers={"authorization": f"bearer {session}"}),
        sent({"session": session, "data": [record(4)]}, "/mapi/DongBoHoSoMC", query={"madonvi": "y"}),
    ]
    for number, one in enumerate(calls, 1):
        assert list_client_is_content(door.answer(one)), number
        assert len(_rows(warehouse, dossier)) == number


def test_the_code_that_means_done_can_be_set(warehouse: Engine) -> None:
    for ok_code, expected in (("auto", "00"), ("0", "0"), ("00", "00")):
        door = door_of(warehouse, push_source(**reader(ok_code=ok_code)))
        assert push(door, [record()]).body["error_code"] == expected


def test_agencies_are_the_units_of_today(door: PushDoor) -> None:
    reply = door.answer(sent({"session": session_of(door), "service": "LayDanhMucCoQuan"}))
    assert reply.body["result"] == [{"MADONVI": code, "TENDONVI": code} for code in ("27001", "27002")]


def test_what_is_looked_up_is_that_of_the_sender_alone(warehouse: Engine) -> None:
    other = push_source(name="khac", **reader(username="other", password="another-long-one"))
    door = door_of(warehouse, push_source(), other)
    push(door, [record()])
    session = session_of(door, username="other", password="another-long-one")
    ask = call(None, session, service="TraCuuHoSo", mahoso="H29.27-220301-0001")
    assert door.answer(sent(ask)).body["result"] == []


# --- who is let in ------------------------------------------------------------------------------------------------


def test_a_wrong_password(door: PushDoor) -> None:
    for number, password in enumerate(["", "sai", PASSWORD + "x", PASSWORD.upper(), "\ud800", None, 17]):
        for username in (USERNAME, "nobody"):
            body = json.dumps({"username": username, "password": password}).encode()
            reply = door.answer(sent(body, "/login", address=f"10.1.1.{number}"))
            assert (reply.status, reply.body["error_code"]) == (200, "-1")
            assert "session" not in reply.body
    answers = {json.dumps(login(door, name, "sai").body) for name in (USERNAME, "nobody")}
    assert len(answers) == 1, "nobody learns which user names there are"


def test_a_session_ends_and_then_a_login_helps(warehouse: Engine, door: PushDoor) -> None:
    session = session_of(door)
    late = NOW + timedelta(minutes=31)
    reply = door.answer(sent(call([record()], session), at=late))
    assert (reply.status, reply.body["error_code"]) == (200, "-1")
    assert not _rows(warehouse, dossier)
    again = door.answer(sent(call([record()], session_of(door, at=late)), at=late))
    assert adapter_client_is_content(again)


def test_a_session_outlives_a_restart_but_not_its_password(warehouse: Engine, door: PushDoor) -> None:
    session = session_of(door)
    assert adapter_client_is_content(door_of(warehouse).answer(sent(call([record()], session))))
    changed = door_of(warehouse, push_source(**reader(password="another-long-one")))
    assert changed.answer(sent(call([record()], session))).body["error_code"] == "-1"


def test_a_session_that_we_did_not_give(warehouse: Engine, door: PushDoor) -> None:
    session = session_of(door)
    for wrong in (session[:-1], "f" + session, "..", "", "ế.x.y", "\ud800.x.y"):
        body = json.dumps(call([record()], wrong)).encode()
        assert door.answer(sent(body)).body["error_code"] == "-1", wrong
        assert door.answer(sent([record()], "/DongBoHoSoMC", headers={"session": wrong})).status == 401, wrong
    assert not _rows(warehouse, dossier)


def test_guessing_is_bounded_and_hurts_nobody_else(door: PushDoor) -> None:
    session = session_of(door)
    replies = [login(door, password=f"guess {number}", address="10.9.9.9") for number in range(12)]
    assert [reply.status for reply in replies] == [200] * 10 + [429] * 2
    assert login(door, address="10.9.9.9").status == 429, "the right password after too many wrong ones tells nothing"
    assert door.answer(sent([record()], "/DongBoHoSoMC", headers=BASIC, address="10.9.9.9")).status == 429
    assert login(door).status == 200
    assert adapter_client_is_content(door.answer(sent(call([record()], session), address="10.9.9.9")))
    many = [login(door, username=f"u{number}", password="x", address="10.8.8.8").status for number in range(101)]
    assert many == [200] * 100 + [429]


def test_calls_reach_the_source_of_their_agency(warehouse: Engine) -> None:
    door = door_of(
        warehouse,
        push_source(name="mot", **reader(madonvi="000.00.01.H29")),
        push_source(name="hai", **reader(madonvi="000.00.02.H29")),
    )
    for number, agency in enumerate(("000.00.01.H29", "000.00.02.h29", "000.00.03.H29", "")):
        reply = push(door, [record(number)], madonvi=agency)
        assert adapter_client_is_content(reply) == (number < 2)
    assert [(row.source, row.code[-1]) for row in _rows(warehouse, dossier)] == [("hai", "1"), ("mot", "0")]


def test_settings_between_which_a_call_could_not_choose() -> None:
    for sources in (
        (push_source(), push_source(name="hai")),
        (push_source(), push_source(Entity.REFERENCE_DOSSIER)),
        (push_source(), push_source(name="hai", **reader(password="another-long-one", madonvi="x"))),
        (push_source(Entity.SURVEY_ANSWER),),
    ):
        with pytest.raises(ValueError, match="push") as caught:
            settings_of(*sources)
        assert PASSWORD not in str(caught.value)
    settings_of(*BOTH, push_source(name="hai", **reader(madonvi="x")))


# --- nasty calls --------------------------------------------------------------------------------------------------

NASTY: dict[str, tuple[Any, int, str]] = {
    "no session": ({"service": "DongBoHoSoMC", "data": [record()]}, 200, "-1"),
    "session of another kind": (call([record()], "{}") | {"session": {"a": 1}}, 200, "-1"),
    "not JSON": (b"MaHoSo=1&MaTTHC=2", 400, "-2"),
    "HTML": (b"<html><body>502 Bad Gateway</body></html>", 400, "-2"),
    "empty": (b"", 400, "-2"),
    "cut": (json.dumps(call([record()], "S")).encode()[:-40], 400, "-2"),
    "UTF-16": (json.dumps(call([record()], "S")).encode("utf-16"), 400, "-2"),
    "NaN": (b'{"session": "S", "service": "DongBoHoSoMC", "data": [{"MaHoSo": NaN}]}', 400, "-2"),
    "deep": (b'{"session": "S", "service": "DongBoHoSoMC", "data": ' + b"[" * 100_000, 400, "-2"),
    "a number": (b"17", 200, "-2"),
    "unknown service": (call([record()], "S", service="XoaHoSo"), 200, "-2"),
    "service of another kind": (call([record()], "S") | {"service": ["DongBoHoSoMC"]}, 200, "-2"),
    "no data": ({"session": "S", "service": "DongBoHoSoMC"}, 200, "-2"),
    "data is null": (call(None, "S"), 200, "-2"),
    "data is a number": (call(17, "S"), 200, "-2"),
    "data is no JSON": (call("MaHoSo=1", "S"), 400, "-2"),
    "data of data": (call([[record()]], "S"), 200, "-2"),
    "data of texts": (call([record(), "H29.27-220301-0002"], "S"), 200, "-2"),
    "endless number": (
        b'{"session": "S", "service": "DongBoHoSoMC", "data": [{"MaHoSo": ' + b"9" * 6000 + b"}]}", 400, "-2",
    ),
}  # fmt: skip


def test_nasty_calls_store_nothing_and_sound_like_no_success(warehouse: Engine, door: PushDoor) -> None:
    session = session_of(door).encode()
    for name, (body, status, code) in NASTY.items():
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        reply = door.answer(sent(content.replace(b'"S"', b'"' + session + b'"')))
        assert (reply.status, reply.body["error_code"]) == (status, code), name
        text = json.dumps(reply.body, ensure_ascii=False)
        assert not text_client_is_content(text), name
        assert "đã tồn tại" not in text, name
        assert "H29" not in text, name
    assert not _rows(warehouse, dossier)
    assert not runs(warehouse)


def test_a_service_that_the_account_does_not_have(warehouse: Engine) -> None:
    reply = push(door_of(warehouse, push_source()), [step()], service="CapNhatTienDoHoSoMC")
    assert reply.body["error_code"] == "-2"


def test_a_call_larger_than_its_source_takes(warehouse: Engine) -> None:
    door = door_of(warehouse, push_source(**reader(max_body_bytes=1024)))
    reply = push(door, [record(number) for number in range(5)])
    assert (reply.status, reply.body["error_code"]) == (413, "-2")
    assert not _rows(warehouse, dossier)


# --- what becomes of the records ----------------------------------------------------------------------------------


def test_refused_records_are_kept_and_named_without_their_values(warehouse: Engine, door: PushDoor) -> None:
    records = [
        record(1),
        record(2, DonViXuLy="UBND xã không có"),
        record(3, NgayHenTra="32/13/2022"),
        record(4, TrangThaiHoSo="77"),
        record(5, MaHoSo=""),
    ]
    reply = push(door, records)
    assert (reply.status, reply.body["error_code"]) == (200, "-3")
    assert codes_of(reply) == ["H29.27-220301-0002", "H29.27-220301-0003", "H29.27-220301-0004", ""]
    assert [item["ThuTu"] for item in reply.body["result"]] == [2, 3, 4, 5]
    assert [item["message"].partition("(")[2] for item in reply.body["result"][:3]] == [
        "DonViXuLy)", "NgayHenTra)", "TrangThaiHoSo)",
    ]  # fmt: skip
    text = json.dumps(reply.body, ensure_ascii=False)
    assert not any(value in text for value in ("UBND", "32/13", "77"))
    assert not text_client_is_content(text)
    assert len(_rows(warehouse, dossier)) == 1
    assert len(_rows(warehouse, quarantine)) == 4
    run = runs(warehouse)[-1]
    assert (run.kind, run.state, run.read, run.stored, run.quarantined) == (RunKind.PUSH, RunState.OK, 5, 1, 4)


def test_a_refused_record_that_comes_again_is_one_and_a_mended_one_ends_it(warehouse: Engine, door: PushDoor) -> None:
    for _ in range(3):
        assert push(door, [record(NgayHenTra="sai")]).body["error_code"] == "-3"
    assert len(_rows(warehouse, quarantine)) == 1
    assert adapter_client_is_content(push(door, [record()]))
    assert _rows(warehouse, quarantine)[0].resolved_at is not None


def test_every_check_has_words_for_the_sender() -> None:
    assert set(CHECKS) <= set(REASONS)
    assert all(unicodedata.is_normalized("NFC", text) for text in REASONS.values())
    assert not any(text_client_is_content(text) or "đã tồn tại" in text for text in REASONS.values())


def test_too_many_refused_store_nothing_and_name_them(warehouse: Engine) -> None:
    door = door_of(warehouse, push_source(refuse_above=0.2))
    reply = push(door, [record(number, DonViXuLy="x" if number % 2 else "27001") for number in range(30)])
    assert reply.body["error_code"] == "-3"
    assert len(codes_of(reply)) == 15
    assert not _rows(warehouse, dossier)
    assert not _rows(warehouse, quarantine)
    assert [run.state for run in runs(warehouse)] == [RunState.FAILED]


def test_decomposed_names_are_the_same_dossier(warehouse: Engine, door: PushDoor) -> None:
    for form in ("NFC", "NFD"):
        push(door, [record(MaHoSo=unicodedata.normalize(form, "H29.Đất-ở-1"), NgayCapNhat="")])
    assert len(_rows(warehouse, dossier)) == 1
    ask = call(None, session_of(door), service="TraCuuHoSo", mahoso=unicodedata.normalize("NFD", "H29.Đất-ở-1"))
    assert len(door.answer(sent(ask)).body["result"]) == 1


def test_versions_in_one_call(warehouse: Engine, door: PushDoor) -> None:
    versions = [record(TrangThaiHoSo=str(status), NgayCapNhat=f"202203{status:02d}000000") for status in (4, 9, 2)]
    assert adapter_client_is_content(push(door, versions))
    assert [row.status for row in _rows(warehouse, dossier)] == [9]
    run = runs(warehouse)[-1]
    assert (run.read, run.stored, run.unchanged) == (3, 1, 2)


def test_steps_are_told_apart_and_not_doubled(warehouse: Engine, door: PushDoor) -> None:
    three = [step(), step(TrangThai="4"), step(PhongBanXuLy="Phòng Tư pháp")]
    for _ in range(2):
        push(door, three, service="CapNhatTienDoHoSoMC")
    push(door, [step(NgayKetThucTheoQuyDinh="20220306170000")], service="CapNhatTienDoHoSoMC")
    rows = _rows(warehouse, dossier_step)
    assert [row.due_at.day for row in rows] == [6, 5, 5]
    reply = push(door, [step(ThoiDiemXuLy="")], service="CapNhatTienDoHoSoMC")
    assert reply.body["error_code"] == "-3"


def test_ten_thousand_records_in_one_call(warehouse: Engine, door: PushDoor) -> None:
    reply = push(door, [record(number) for number in range(10_000)])
    assert adapter_client_is_content(reply)
    assert runs(warehouse)[-1].stored == 10_000


# --- nothing lost, nothing twice ----------------------------------------------------------------------------------


def _stream() -> list[list[dict[str, Any]]]:
    """Calls with versions of 8 dossiers, each with its time, and a refused one here and there."""
    rng = random.Random(3)
    records = [
        record(
            number, TrangThaiHoSo=str(status), NgayCapNhat=f"202203{status:02d}0{hour}0000",
            **({"NgayHenTra": "sai"} if rng.random() < 0.1 else {}),
        )
        for number in range(8) for status in (2, 4, 9) for hour in range(2)
    ]  # fmt: skip
    rng.shuffle(records)
    return [records[start : start + 7] for start in range(0, len(records), 7)]


def test_any_order_and_any_repetition_end_in_the_same_tables(warehouse: Engine, door: PushDoor) -> None:
    calls = _stream()
    for records in calls:
        push(door, records)
    undisturbed = contents(warehouse)
    assert len(undisturbed["dossier"]) == 8
    with warehouse.begin() as connection:
        for name in ("dossier", "dossier_change", "quarantine", "sync_run"):
            connection.execute(schema.metadata.tables[name].delete())
    rng = random.Random(5)
    again = [*calls, *calls, *calls[:5]]
    rng.shuffle(again)
    for records in again:
        push(door, rng.sample(records, len(records)))
    disturbed = contents(warehouse)
    assert disturbed["dossier"] == undisturbed["dossier"]
    assert cells(warehouse) == cells_anew(warehouse)
    assert {row[2] for row in disturbed["quarantine"]} == {row[2] for row in undisturbed["quarantine"]}


def test_a_crash_between_commit_and_reply(warehouse: Engine, door: PushDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows are in, the sender hears of an error and sends them again."""
    body = call([record(1), record(2, NgayHenTra="sai")], session_of(door))

    def strike(name: str) -> None:
        if name == "batch committed":
            monkeypatch.undo()
            raise RuntimeError("struck")

    monkeypatch.setattr(steps, "_watchers", [strike])
    struck = door.answer(sent(body))
    assert struck.status in {500, 503}
    assert not text_client_is_content(json.dumps(struck.body, ensure_ascii=False))
    after_crash = contents(warehouse)
    assert len(after_crash["dossier"]) == 1
    assert door.answer(sent(body)).body["error_code"] == "-3"
    assert contents(warehouse) == after_crash


def test_a_fault_before_the_commit_leaves_nothing(
    warehouse: Engine, door: PushDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, reached = call([record(1), record(2, NgayHenTra="sai")], session_of(door)), list[str]()
    monkeypatch.setattr(steps, "_watchers", [reached.append])
    assert push(door, [record(3)]).body["error_code"] == "00"
    points, before = reached[: reached.index("batch committed")], contents(warehouse)
    assert len(points) >= 8
    for point in points:

        def strike(name: str, point: str = point) -> None:
            if name == point:
                raise RuntimeError("struck")

        monkeypatch.setattr(steps, "_watchers", [strike])
        assert door.answer(sent(body)).status in {500, 503}, point
        assert contents(warehouse) == before, point
    monkeypatch.undo()
    assert door.answer(sent(body)).body["error_code"] == "-3"
    assert len(contents(warehouse)["dossier"]) == 2


def test_calls_at_once_are_stored_one_after_the_other(warehouse: Engine, door: PushDoor) -> None:
    calls = _stream()
    session = session_of(door)
    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(lambda records: door.answer(sent(call(records, session))), [*calls, *calls]))
    assert {reply.body["error_code"] for reply in replies} <= {"00", "-3"}
    assert len(_rows(warehouse, dossier)) == 8
    assert sum(run.read for run in runs(warehouse)) == 2 * sum(map(len, calls))


def test_the_warehouse_is_down(warehouse: Engine, door: PushDoor, caplog: pytest.LogCaptureFixture) -> None:
    gone = open_engine(warehouse.url.set(port=1))
    reply = door_of(gone).answer(sent(call([record()], session_of(door))))
    assert (reply.status, reply.body["error_code"]) == (503, "-9")
    assert "Retry-After" in reply.headers
    assert "H29" not in caplog.text


def test_no_unit_is_loaded_yet(engine: Engine) -> None:
    door = door_of(engine)
    reply = push(door, [record()])
    assert (reply.status, reply.body["error_code"]) == (503, "-9")
    assert not _rows(engine, quarantine)


# --- runs and freshness -------------------------------------------------------------------------------------------


def test_many_small_calls_are_few_runs_and_no_record_is_uncounted(warehouse: Engine, door: PushDoor) -> None:
    session = session_of(door)
    for number in range(12):
        at = NOW + timedelta(seconds=10 * number)
        bad = {"NgayHenTra": "sai"} if number % 5 == 4 else {}
        door.answer(sent(call([record(number % 4, **bad)], session), at=at))
    rows = runs(warehouse)
    assert [(row.read, row.stored, row.unchanged, row.quarantined) for row in rows] == [(6, 4, 1, 1), (6, 0, 5, 1)]
    assert all(row.read == row.stored + row.unchanged + row.quarantined for row in rows)
    assert {row.state for row in rows} == {RunState.OK}


def test_a_heartbeat_keeps_a_silent_stream_fresh(warehouse: Engine, door: PushDoor) -> None:
    settings = settings_of(*BOTH)

    def freshness(minutes: float) -> list[Freshness]:
        with warehouse.connect() as connection:
            return [s.freshness for s in source_states(connection, settings, NOW + timedelta(minutes=minutes))]

    assert freshness(0) == [Freshness.NEVER] * 2
    push(door, [])
    assert freshness(1) == [Freshness.FRESH, Freshness.NEVER]
    assert freshness(20) == [Freshness.STALE, Freshness.NEVER]
    late = NOW + timedelta(minutes=20)
    assert adapter_client_is_content(door.answer(sent(call([], session_of(door, at=late)), at=late)))
    assert freshness(21) == [Freshness.FRESH, Freshness.NEVER]
    assert [(run.entity, run.read) for run in runs(warehouse)] == [("dossier", 0)]


def test_nobody_reads_what_is_sent_to_us(warehouse: Engine) -> None:
    settings = settings_of(push_source())
    assert sync_all(warehouse, settings, now=NOW) == []
    with pytest.raises(ConfigurationError):
        sync_source(warehouse, settings, settings.sources[0], now=NOW)
    assert not runs(warehouse)


def test_the_worker_takes_in_what_waited_for_its_unit(warehouse: Engine, door: PushDoor) -> None:
    assert push(door, [record(DonViXuLy="27009")]).body["error_code"] == "-3"
    insert_units(warehouse, ["27009"])
    worker = Worker(warehouse, settings_of(*BOTH))
    for source in BOTH:
        worker.run_once(source)
    assert [row.unit for row in _rows(warehouse, dossier)] == ["27009"]
    assert [row.resolved_at is not None for row in _rows(warehouse, quarantine)] == [True]
    assert RunKind.SYNC not in {run.kind for run in runs(warehouse)}, "nobody asked the source"


# --- secrets ------------------------------------------------------------------------------------------------------

CANARY = {
    "ChuHoSo": "Nguyễn Thị Canary", "SoGiayToChuHoSo": "079099000001", "SoDienThoai": "0909000111",
    "Email": "canary@example.vn", "TrichYeuHoSo": "canary trích yếu", "GhiChu": "canary ghi chú",
    "DinhDanhCHS": [{"LoaiDinhDanh": "1", "SoDinhDanh": "079099000002"}],
    "TaiLieuNop": [{"TenTepDinhKem": "Canary.pdf", "DuocTaiSuDung": "1", "DuongDanTaiTepTin": "http://x/canary"}],
    "DanhSachHoSoBoSung": [{"NguoiYeuCauBoSung": "Canary", "NoiDungBoSung": "canary", "NgayBoSung": "20220302080000"}],
    "DanhSachGiayToKetQua": [{"TenGiayTo": "canary", "DuongDanTepTinKetQua": "http://x/canary/nguyen-van-a.pdf"}],
}  # fmt: skip
SIGNS = ("canary", "0790990000", "0909000111")


def test_personal_data_and_secrets_are_in_no_table_and_no_log(
    warehouse: Engine, door: PushDoor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    session = session_of(door)
    good, bad = record(1, **CANARY), record(2, NgayHenTra="sai", **CANARY)
    replies = [
        door.answer(sent(call([good, bad], session))),
        door.answer(
            sent(call([step(1, NguoiXuLy="Canary", NoiDungXuLy="canary")], session, service="CapNhatTienDoHoSoMC"))
        ),
        door.answer(sent(json.dumps(call([good], session)).encode()[:-30])),
        door.answer(sent(call([good], session + "x"))),
        login(door, password="canary-secret"),
        door_of(open_engine(warehouse.url.set(port=1))).answer(sent(call([good], session))),
    ]
    everything = json.dumps(
        [contents(warehouse), [tuple(run) for run in runs(warehouse)], caplog.text, [reply.body for reply in replies]],
        default=str, ensure_ascii=False,
    )  # fmt: skip
    assert "H29.27-220301-0001" in everything
    assert not [sign for sign in (*SIGNS, session, PASSWORD) if sign.lower() in everything.lower()]
    assert PASSWORD not in repr(door.__dict__)


def _rows(engine: Engine, table: Table) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(table).order_by(*table.primary_key.columns)).all())
