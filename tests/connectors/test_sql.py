"""Sources that are tables: on a second PostgreSQL, on MariaDB and on SQLite nothing is lost, and nothing is written."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from pydantic import ValidationError
from sqlalchemy import Engine, create_engine, text

from connectors.batch import Batch
from connectors.readers import sql, sql_pages
from connectors.readers.sql_database import Database
from connectors.sync import sync_source
from tests.connectors.databases import PASSWORD, Replica, eventually, postgres_replica, stop_immediately
from tests.connectors.support import NOW, record, settings_of, table_rows
from warehouse.embedded import EmbeddedServer
from warehouse.errors import IocError, RefusedInput, TransientError
from warehouse.schema import dossier, quarantine
from warehouse.sources import SqlSettings
from warehouse.vocabulary import RunState

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
FIELDS = {"ma": True}
START = datetime(2022, 3, 1, 1, 0, tzinfo=UTC)


def plain(replica: Replica, type_: str = "varchar(40)", key: str = "varchar(40)") -> None:
    replica.run(f"create table ho_so (ma {key}, cap_nhat {type_} null, ten text)")


def put(replica: Replica, *rows: tuple[Any, Any]) -> None:
    replica.run(
        "insert into ho_so (ma, cap_nhat) values (:ma, :cap_nhat)",
        rows=[{"ma": key, "cap_nhat": updated} for key, updated in rows],
    )


def batches(
    settings: SqlSettings, position: str | None = None, rows: int = 1000, fields: dict[str, bool] = FIELDS
) -> Iterator[Batch]:
    return sql.read(settings, position, fields, rows, ZONE)


def keys(read: list[Batch]) -> list[str]:
    return [str(key) for batch in read for key in batch.frame["ma"]]


def trouble(settings: SqlSettings, kind: type[IocError], **options: Any) -> str:  # noqa: ANN401
    with pytest.raises(kind) as caught:
        list(batches(settings, **options))
    said = str(caught.value)
    assert PASSWORD not in said
    assert caught.value.__cause__ is None, "what the driver says may hold values"
    return said


# --- from the table to the warehouse ------------------------------------------------------------------------------


def exchange_table(replica: Replica, count: int) -> list[dict[str, Any]]:
    """A table with the columns of the exchange, as their system would keep them."""
    records = [
        record(number, NgayCapNhat=f"202203{4 + number // 50:02d}0900{number % 50:02d}") for number in range(count)
    ]
    for item in records:
        for name in ("TaiLieuNop", "DanhSachHoSoBoSung", "DanhSachGiayToKetQua"):
            item[name] = json.dumps(item[name])
    quote = "`" if replica.kind == "mariadb" else '"'
    columns = ", ".join(f"{quote}{name}{quote} varchar(120)" for name in records[0])
    replica.run(f"create table ho_so ({columns}, primary key ({quote}MaHoSo{quote}))")
    names = ", ".join(f"{quote}{name}{quote}" for name in records[0])
    replica.run(f"insert into ho_so ({names}) values ({', '.join(f':{name}' for name in records[0])})", rows=records)
    return records


def test_dossiers_of_a_table_and_their_changes(warehouse: Engine, replica: Replica) -> None:
    exchange_table(replica, 120)
    reader = {"updated": "NgayCapNhat", "key": "mahoso", "overlap_seconds": 30}
    source = replica.source("dvcqg", reader=reader, batch_rows=50)
    first = sync_source(warehouse, settings_of(source), source, now=NOW)
    assert (first.error, first.read, first.stored) == (None, 120, 120)
    quote = "`" if replica.kind == "mariadb" else '"'
    replica.run(
        f"update ho_so set {quote}TrangThaiHoSo{quote} = '9', {quote}NgayCapNhat{quote} = '20220308090000'"
        f" where {quote}MaHoSo{quote} like '%0003'",
        f"update ho_so set {quote}NgayTiepNhan{quote} = 'khong ro', {quote}NgayCapNhat{quote} = '20220308090000'"
        f" where {quote}MaHoSo{quote} like '%0004'",
    )
    second = sync_source(warehouse, settings_of(source), source, now=NOW)
    assert (second.error, second.stored, second.quarantined) == (None, 1, 1)
    assert second.read == second.stored + second.unchanged + second.quarantined < 25
    third = sync_source(warehouse, settings_of(source), source, now=NOW)
    assert (third.stored, third.unchanged, third.quarantined) == (0, 1, 1)
    assert len(table_rows(warehouse, dossier)) == 120
    with warehouse.connect() as connection:
        changed = connection.execute(text("select status from dossier where code like '%0003'")).scalar_one()
        place = connection.execute(text("select place from quarantine")).scalar_one()
    assert changed == 9
    assert place.startswith("ho_so, row ")


# --- nothing is lost ----------------------------------------------------------------------------------------------

SCALES = {
    "text": ("varchar(40)", lambda at: at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S")),
    "digits": ("char(14)", lambda at: at.astimezone(ZONE).strftime("%Y%m%d%H%M%S")),
    "utc text": ("varchar(40)", lambda at: at.strftime("%Y-%m-%dT%H:%M:%S.000Z")),
    "seconds": ("bigint", lambda at: int(at.timestamp())),
    "milliseconds": ("decimal(20,0)", lambda at: int(at.timestamp() * 1000) + 7),
    "digits as a number": ("bigint", lambda at: int(at.astimezone(ZONE).strftime("%Y%m%d%H%M%S"))),
    "day": ("date", lambda at: at.astimezone(ZONE).strftime("%Y-%m-%d")),
    "civil": ("timestamp(6)", lambda at: at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S.123456")),
    "instant": ("timestamp", lambda at: at.strftime("%Y-%m-%d %H:%M:%S")),
}


OTHER_TYPES = {
    ("mariadb", "civil"): "datetime(6)",
    ("postgresql", "instant"): "timestamptz",
    ("sqlite", "milliseconds"): "integer",
}


def test_a_reader_that_dies_after_each_page_still_reads_every_record(replica: Replica) -> None:
    settings = replica.settings()
    for name, (type_, write) in SCALES.items():
        plain(replica, OTHER_TYPES.get((replica.kind, name), type_))
        written = [(f"H-{number:03d}", write(START + timedelta(minutes=7 * (number // 4)))) for number in range(20)]
        put(replica, *written, ("no-time", None))
        position, found = None, list[str]()
        while position is None or "at" in json.loads(position):
            batch = next(batches(settings, position, rows=7))
            position = batch.position
            found += keys([batch])
        assert {key for key, _ in written} == set(found), name
        assert len(found) < 30, "it goes on, and does not begin again"
        early, late, new = (write(START + timedelta(minutes=minutes)) for minutes in (3, 25, 400))
        put(replica, ("new", new), ("late", late), ("too late", early))
        after = keys(list(batches(settings, position)))
        assert {"new", "late", "no-time"} <= set(after), name
        assert len(after) < 10 or name == "day"
        assert ("too late" in after) is (name == "day"), "more than the overlap"
        replica.run("drop table ho_so")


def test_what_is_equal_in_the_order_is_not_lost_between_pages(replica: Replica) -> None:
    plain(replica)
    same = "2022-03-01 08:00:00"
    words = ["a", "A", "á", "Á", "b", "B", "đ", "Đ", "d", "D", "x", "x "]
    put(replica, *((word, same) for word in words), *((f"k{number}", same) for number in range(20)))
    replica.run(
        "create table buoc (ma varchar(40), buoc varchar(40))",
        *(f"insert into buoc values ('k1', '{number}')" for number in range(9)),
        "create view ho_so_buoc as select h.ma, h.cap_nhat, b.buoc from ho_so h left join buoc b on b.ma = h.ma",
    )
    for rows in (1, 2, 5):
        assert set(keys(list(batches(replica.settings(), rows=rows)))) == {*words, *(f"k{n}" for n in range(20))}
        fields = {"ma": True, "buoc": True}
        steps = list(batches(replica.settings(table="ho_so_buoc"), rows=rows, fields=fields))
        found = [str(row.buoc) for batch in steps for row in batch.frame.itertuples() if row.ma == "k1"]
        assert sorted(set(found)) == [str(number) for number in range(9)]


def test_rows_outside_the_order_are_read_in_every_run(replica: Replica) -> None:
    plain(replica)
    odd = [("null", None), ("future", "2099-01-01 00:00:00"), ("zero", "0000-00-00 00:00:00"), ("other", "1/3/2022")]
    put(replica, *odd, ("empty", ""), (None, "2022-03-01 08:00:00"), (None, None))
    put(replica, *((f"H-{number}", f"2022-03-01 08:00:{number:02d}") for number in range(10)))
    settings = replica.settings(overlap_seconds=0)
    first = list(batches(settings, rows=4))
    assert len(keys(first)) == 17
    position = first[-1].position
    assert json.loads(position or "")["mark"] == "2022-03-01 08:00:09", "not that of 2099"
    put(replica, ("H-new", "2022-03-01 08:00:10"))
    second = keys(list(batches(settings, position, rows=4)))
    assert sorted(second) == sorted(["H-9", "H-new", "null", "future", "zero", "other", "empty", "nan", "nan"])


def test_a_change_that_is_committed_late_is_found(replica_of_postgres: Replica) -> None:
    replica = replica_of_postgres
    plain(replica, "timestamptz")
    with replica.owner.connect() as slow:
        slow.execute(text("insert into ho_so values ('slow', now(), '')"))
        time.sleep(0.01)
        replica.run("insert into ho_so values ('quick', now(), '')")
        read = list(batches(replica.settings()))
        assert keys(read) == ["quick"]
        slow.commit()
    assert keys(list(batches(replica.settings(), read[-1].position))) == ["slow", "quick"]
    assert keys(list(batches(replica.settings(overlap_seconds=0), read[-1].position))) == ["quick"]


def test_a_record_that_changes_while_it_is_read_comes_with_its_new_version(replica: Replica) -> None:
    plain(replica)
    put(replica, *((f"H-{number}", f"2022-03-01 08:00:{number:02d}") for number in range(9)))
    reading = batches(replica.settings(), rows=4)
    found = keys([next(reading)])
    replica.run("update ho_so set cap_nhat = '2099-03-01 00:00:00' where ma = 'H-8'")
    assert sorted(found + keys(list(reading))) == [f"H-{number}" for number in range(9)]


def test_a_watermark_of_another_table_or_of_nobody_starts_anew(replica: Replica) -> None:
    plain(replica)
    put(replica, ("a", "2022-03-01 08:00:00"))
    [read] = batches(replica.settings())
    for position in ("17", "null", "[1]", '{"of": 3}', '{"of": [], "at": 1}', (read.position or "").replace("ma", "x")):
        assert keys(list(batches(replica.settings(), position))) == ["a"]
    assert keys(list(batches(replica.settings(), read.position))) == ["a"], "the overlap"


def test_pages_of_huge_texts_are_cut(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_pages, "PAGE_BYTES", 100_000)
    monkeypatch.setattr("connectors.readers.sql_database.FETCH_ROWS", 10)
    replica.run("create table ho_so (ma varchar(40), cap_nhat varchar(40), ten text)")
    replica.run(
        "insert into ho_so values (:ma, '2022-03-01 08:00:00', :ten)",
        rows=[{"ma": f"H-{number:03d}", "ten": "ồ" * 5000} for number in range(100)],
    )
    read = list(batches(replica.settings(), fields={"ma": True, "ten": True}))
    assert len(set(keys(read))) == 100
    assert max(len(batch.frame) for batch in read) <= 20


# --- values -------------------------------------------------------------------------------------------------------

TYPES = {
    "postgresql": (
        "ma text, cap_nhat timestamptz, a timestamp(3), b date, c numeric(12,2), d bool, e jsonb, f bytea, g bigint,"
        " h double precision, i uuid, j text[], k timestamptz",
        "'x', '2022-03-01 08:00+07', '2022-03-01 08:00:00.5', '2022-03-01', 1.10, true, '[{\"n\": 1.50}]', 'abc',"
        " 9007199254740993, 2.0, '3038f7c1-e656-11f1-af13-02fc00000001', '{a,b}', '20022-03-01 00:00+00'",
        ["2022-03-01 08:00:00.5", "2022-03-01", "1.10", "true", '[{"n": 1.50}]', "abc", "9007199254740993", "2",
         "3038f7c1-e656-11f1-af13-02fc00000001", '["a","b"]', "20022-03-01 00:00:00+00"],
        "2022-03-01 01:00:00+00",
    ),
    "mariadb": (
        "ma varchar(20), cap_nhat timestamp(3) null, a datetime(1), b date, c decimal(12,2), d bool, e json,"
        " f varbinary(8), g bigint, h double, i bit(1), j time, k datetime",
        "'x', '2022-03-01 01:00:00.5', '2022-03-01 08:00:00.5', '2022-03-01', 1.10, true, '[{\"n\": 1.50}]', 'abc',"
        " 9007199254740993, 2.0, b'1', '08:00:00', 0",
        ["2022-03-01 08:00:00.5", "2022-03-01", "1.10", "1", '[{"n": 1.50}]', "abc", "9007199254740993", "2", "1",
         "08:00:00", "0000-00-00 00:00:00"],
        "2022-03-01 01:00:00.500+00:00",
    ),
    "sqlite": (
        "ma text, cap_nhat integer, a datetime, b date, c numeric, d bool, e json, f blob, g bigint, h real, i blob,"
        " j text, k text",
        "'x', 1646096400, '2022-03-01 08:00:00.5', '2022-03-01', 1.1, true, '[{\"n\": 1.50}]', x'616263',"
        " 9007199254740993, 2.0, x'ff', cast(x'c3' as text), 'a' || char(0) || 'b'",
        ["2022-03-01 08:00:00.5", "2022-03-01", "1.1", "1", '[{"n": 1.50}]', "abc", "9007199254740993", "2", "ff",
         "\N{REPLACEMENT CHARACTER}", "a\0b"],
        "1646096400",
    ),
}  # fmt: skip


def test_values_become_the_texts_that_the_database_would_write(replica: Replica) -> None:
    columns, values, texts, updated = TYPES[replica.kind]
    mode = ["set session sql_mode = ''"] if replica.kind == "mariadb" else []
    with replica.owner.begin() as connection:
        for statement in (*mode, f"create table ho_so ({columns})"):
            connection.execute(text(statement))
        connection.exec_driver_sql(f"insert into ho_so values ({values})")
        connection.execute(text("insert into ho_so (ma) values ('none')"))
    replica.run()
    read = list(batches(replica.settings(), fields=dict.fromkeys(["CAP_NHAT", *"abcdefghijk"], True)))
    full, empty = pd.concat([batch.frame for batch in read]).to_numpy().tolist()
    assert full == [updated, *texts]
    assert all(pd.isna(value) for value in empty)


def test_dates_of_the_database_are_read_by_the_mapping(
    warehouse: Engine, replica_of_postgres: Replica, tmp_path: Path
) -> None:
    replica = replica_of_postgres
    replica.run(
        "create table ho_so (ma text primary key, cap_nhat timestamptz, nhan timestamp, hen date, don_vi text)",
        "insert into ho_so values ('a', '2022-03-01 08:00:00.75+07', '2022-03-01 08:00', '2022-03-05', '27001'),"
        " ('b', '2022-03-01 08:00+07', '20022-03-01 08:00', '2022-03-05', '27001')",
    )
    (tmp_path / "m.toml").write_text(
        'entity = "dossier"\n[fields]\ncode = { from = "ma" }\nunit = { from = "don_vi" }\n'
        'received_at = { from = "nhan" }\ndue_at = { from = "hen" }\nsource_updated_at = { from = "cap_nhat" }\n'
    )
    source = replica.source(str(tmp_path / "m.toml"))
    report = sync_source(warehouse, settings_of(source), source, now=NOW)
    assert (report.error, report.stored, report.quarantined) == (None, 1, 1)
    with warehouse.connect() as connection:
        row = connection.execute(dossier.select()).one()
        reason = connection.execute(quarantine.select()).one().reason
    assert (row.received_at, row.source_updated_at) == (START, START)
    assert row.due_at == datetime(2022, 3, 4, 17, 0, tzinfo=UTC)
    assert reason == "bad_date"


# --- it is only read ----------------------------------------------------------------------------------------------


def test_nothing_can_be_written(replica: Replica) -> None:
    plain(replica)
    url = replica.owner.url.render_as_string(hide_password=False)
    database = Database(SqlSettings(kind="sql", url=replica.url, table="ho_so", updated="cap_nhat", key="ma"))
    database.close()
    owner = SqlSettings.model_construct(
        url=url, password=None, table="ho_so", statement_timeout_seconds=5.0, updated="cap_nhat", key="ma"
    )
    database = Database(owner)  # as a user who might
    with pytest.raises(RefusedInput, match="refuses to be read"), database.session() as connection:
        connection.execute(text("insert into ho_so (ma) values ('x')"))
    database.close()
    with replica.owner.connect() as connection:
        assert connection.execute(text("select count(*) from ho_so")).scalar_one() == 0


# --- what goes wrong ----------------------------------------------------------------------------------------------


def test_columns_that_are_not_there_are_named(replica: Replica) -> None:
    plain(replica)
    said = trouble(replica.settings(), RefusedInput, fields={"ma": True, "trang_thai": True, "khac": False})
    assert "lacks the column(s) trang_thai; columns there: ma, cap_nhat, ten" in said
    assert "key = so is no column; columns there: ma" in trouble(replica.settings(key="so"), RefusedInput)
    assert "updated = so is no column" in trouble(replica.settings(updated="so"), RefusedInput)
    assert "no such table or view" in trouble(replica.settings(table="khac"), RefusedInput)


@pytest.mark.parametrize(
    ("type_", "value"), [("bigint", 41), ("varchar(40)", "tháng 3"), ("double precision", 1646096400.5)]
)
def test_what_does_not_sort_like_time_is_refused(replica: Replica, type_: str, value: object) -> None:
    plain(replica, type_)
    put(replica, ("a", value))
    assert "name another column" in trouble(replica.settings(), RefusedInput)


def test_an_empty_table_has_no_scale_yet(replica: Replica) -> None:
    plain(replica, "bigint")
    assert keys(list(batches(replica.settings()))) == []
    put(replica, ("a", None))
    assert keys(list(batches(replica.settings()))) == ["a"]


SLOW = {
    "postgresql": "create view cham as select ma, cap_nhat, pg_sleep(20)::text as ten from ho_so",
    "mariadb": "create view cham as select ma, cap_nhat, sleep(20) as ten from ho_so",
    "sqlite": "create view cham as with recursive n(i) as (select 1 union all select i + 1 from n where i < 1e9)"
    " select ma, cap_nhat, (select max(i) from n) as ten from ho_so",
}


def test_a_statement_that_takes_too_long_is_given_up(replica: Replica) -> None:
    plain(replica)
    put(replica, ("a", "2022-03-01 08:00:00"))
    replica.run(SLOW[replica.kind])
    started = time.monotonic()
    settings = replica.settings(table="cham", statement_timeout_seconds=0.3)
    assert "statement_timeout_seconds = 0.3" in trouble(settings, TransientError, fields={"ma": True, "ten": True})
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("replica", ["postgresql", "mariadb"], indirect=True)
def test_a_connection_that_is_cut_in_the_middle_of_a_statement(replica: Replica) -> None:
    plain(replica)
    put(replica, ("a", "2022-03-01 08:00:00"))
    replica.run(SLOW[replica.kind])

    def cut() -> None:
        find, kill = (
            ("select pid from pg_stat_activity where query like '%cham%' and pid <> pg_backend_pid()",
             "select pg_terminate_backend({})")
            if replica.kind == "postgresql"
            else ("select id from information_schema.processlist where info like '%cham%' and id <> connection_id()",
                  "kill {}")
        )  # fmt: skip
        with create_engine(replica.owner.url, isolation_level="AUTOCOMMIT").connect() as connection:
            found: list[int] = []
            eventually(lambda: bool(found.extend(connection.execute(text(find)).scalars()) or found))
            connection.execute(text(kill.format(found[0])))
        connection.engine.dispose()

    killer = threading.Thread(target=cut)
    killer.start()
    try:
        said = trouble(replica.settings(table="cham"), TransientError, fields={"ma": True, "ten": True})
    finally:
        killer.join()
    assert "connection" in said


def test_a_server_that_crashes_between_two_pages_is_read_to_the_end_later(second_postgres: EmbeddedServer) -> None:
    with postgres_replica(second_postgres) as replica:
        plain(replica, "timestamptz")
        put(replica, *((f"H-{number}", START + timedelta(hours=number)) for number in range(9)))
        reading = batches(replica.settings(), rows=4)
        first = next(reading)
        stop_immediately(second_postgres)
        with pytest.raises(TransientError, match="no connection"):
            next(reading)
        replica.owner.dispose()
        second_postgres.start()
        rest = keys(list(batches(replica.settings(), first.position, rows=4)))
        assert set(keys([first])) | set(rest) == {f"H-{number}" for number in range(9)}


@pytest.mark.parametrize("replica", ["postgresql", "mariadb"], indirect=True)
def test_who_is_not_let_in(replica: Replica, tmp_path: Path) -> None:
    plain(replica)
    (tmp_path / "word").write_text("wrong-Word9")
    (tmp_path / "word").chmod(0o600)
    said = trouble(replica.settings(password=f"file:{tmp_path / 'word'}"), RefusedInput)
    assert "does not let us in" in said
    assert "wrong-Word9" not in said
    other = replica.url.replace("nguon_", "khong_")
    assert "database" in trouble(replica.settings(url=other), RefusedInput)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = replica.settings(url=f"{replica.kind}://reader@127.0.0.1:{probe.getsockname()[1]}/x")
        assert "no connection" in trouble(closed, TransientError)


def test_a_table_that_the_user_may_not_read(replica_of_postgres: Replica) -> None:
    with replica_of_postgres.owner.begin() as connection:
        connection.execute(text("create table ho_so (ma text, cap_nhat timestamptz)"))
    assert "GRANT SELECT" in trouble(replica_of_postgres.settings(), RefusedInput)


def test_errors_show_no_contents(replica_of_postgres: Replica) -> None:
    plain(replica_of_postgres)
    put(replica_of_postgres, ("Nguyễn Thị Canary", "2022-03-01 08:00:00"))
    replica_of_postgres.run("create view hong as select ma::int as ma, cap_nhat from ho_so")
    said = trouble(replica_of_postgres.settings(table="hong"), RefusedInput)
    assert "Canary" not in said
    assert "22P02" in said


def test_sqlite_files_that_are_none(tmp_path: Path) -> None:
    def of(url: str) -> SqlSettings:
        return SqlSettings(kind="sql", url=url, table="ho_so", updated="u", key="k")

    assert "no such file" in trouble(of(f"sqlite:///{tmp_path}/none.db"), TransientError)
    assert not (tmp_path / "none.db").exists()
    (tmp_path / "text.db").write_text("not a database " * 100)
    assert "no whole SQLite file" in trouble(of(f"sqlite:///{tmp_path}/text.db"), RefusedInput)
    assert "path of a file" in trouble(of("sqlite://"), RefusedInput)


def test_addresses_that_cannot_be_read_are_wrong_settings() -> None:
    for url in ("oracle://reader@host/x", "postgresql+asyncpg://reader@host/x", "mysql+mysqldb://h/x", "host/x", ""):
        with pytest.raises(ValidationError, match=r"there are postgresql, mysql, mariadb, sqlite"):
            SqlSettings(kind="sql", url=url, table="t", updated="u", key="k")


def test_the_report_of_a_failed_run_holds_no_password(warehouse: Engine, replica_of_postgres: Replica) -> None:
    source = replica_of_postgres.source("dvcqg", reader={"url": "postgresql://reader@127.0.0.1:1/x"})
    report = sync_source(warehouse, settings_of(source), source, now=NOW)
    assert report.state is RunState.FAILED
    assert "no connection" in (report.error or "")
    with warehouse.connect() as connection:
        stored = connection.execute(text("select r::text from sync_run r")).scalars().all()
    assert PASSWORD not in repr((report, source, stored))
