"""Rows as bytes: what a binary COPY brings into PostgreSQL is what the frame says, in every kind of column."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2.errors import NotNullViolation
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Engine,
    Float,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError

from connectors.staging import copy_in, prepare, temporary
from warehouse.errors import TransientError
from warehouse.schema import unit

KINDS = Table(
    "kinds", MetaData(), Column("number", Integer), Column("text", Text), Column("small", SmallInteger),
    Column("large", BigInteger), Column("truth", Boolean), Column("real", Float), Column("instant", DateTime(True)),
    Column("day", Date), Column("names", ARRAY(Text)), Column("answers", JSONB),
)  # fmt: skip
DTYPES = {
    "number": "int64", "text": "str", "small": "Int64", "large": "Int64", "truth": "boolean", "real": "float64",
    "instant": "datetime64[s, UTC]", "day": "datetime64[s]", "names": "str", "answers": "str",
}  # fmt: skip
EARLY, LATE = datetime(1900, 1, 1), datetime(2199, 12, 31)  # noqa: DTZ001 - hypothesis adds the zone
letters = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
rows = st.fixed_dictionaries(
    {
        "text": st.none() | letters,
        "small": st.none() | st.integers(-(2**15), 2**15 - 1),
        "large": st.none() | st.integers(-(2**63) + 1, 2**63 - 1),
        "truth": st.none() | st.booleans(),
        "real": st.none() | st.floats(allow_nan=False),
        "instant": st.none()
        | st.datetimes(EARLY, LATE, timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0)),
        "day": st.none() | st.dates(EARLY.date(), LATE.date()),
        "names": st.none() | st.lists(st.sampled_from(["bad_date", "no_receipt_date", "x"]), max_size=3),
        "answers": st.none() | st.dictionaries(letters, st.integers(0, 5), max_size=2),
    }
)


def frame(given_rows: list[dict[str, object]]) -> pd.DataFrame:
    made = pd.DataFrame(given_rows, dtype=object)
    made["names"] = [None if names is None else "{" + ",".join(names) + "}" for names in made["names"]]
    made["answers"] = [None if value is None else json.dumps(value) for value in made["answers"]]
    return made.assign(number=range(len(made))).astype(DTYPES)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(rows, min_size=1, max_size=8))
def test_what_goes_in_is_there(engine: Engine, given_rows: list[dict[str, object]]) -> None:
    table = temporary(KINDS)
    with engine.begin() as connection:
        prepare(connection, table)
        copy_in(connection, table, frame(given_rows))
        found = connection.execute(select(table).order_by(table.c.number)).mappings().all()
    assert [{name: value for name, value in row.items() if name != "number"} for row in found] == given_rows


def test_no_row_and_many(engine: Engine) -> None:
    table = temporary(KINDS)
    many = pd.DataFrame({"number": range(30_000), "text": pd.Series(["hồ sơ", None, ""] * 10_000, dtype="str")})
    with engine.begin() as connection:
        prepare(connection, table)
        copy_in(connection, table, many[:0])
        assert connection.execute(select(table)).all() == []
        copy_in(connection, table, many)
        found = connection.execute(select(table.c.text).order_by(table.c.number)).scalars().all()
    assert found == ["hồ sơ", None, ""] * 10_000


@pytest.mark.parametrize(("column", "number"), [("small", 2**15), ("small", -(2**15) - 1), ("number", 2**31)])
def test_a_number_beyond_its_column_is_an_error(engine: Engine, column: str, number: int) -> None:
    table = temporary(KINDS)
    with engine.begin() as connection:
        prepare(connection, table)
        with pytest.raises(OverflowError, match="beyond the range"):
            copy_in(connection, table, pd.DataFrame({column: pd.Series([number], dtype="Int64")}))


def test_days_before_the_epoch_of_postgresql(engine: Engine) -> None:
    table = temporary(KINDS)
    with engine.begin() as connection:
        prepare(connection, table)
        copy_in(connection, table, pd.DataFrame({"day": pd.Series([date(1900, 1, 1)]).astype("datetime64[s]")}))
        assert connection.execute(select(table.c.day)).scalar_one() == date(1900, 1, 1)


def test_a_row_that_a_table_refuses_is_an_error_of_the_database(engine: Engine) -> None:
    with engine.begin() as connection, pytest.raises(IntegrityError) as caught:
        copy_in(connection, unit, pd.DataFrame({"code": ["1"], "name": ["x"], "kind": ["commune"]}))
    assert isinstance(caught.value.orig, NotNullViolation)


def test_a_connection_that_is_lost_is_found_out(engine: Engine) -> None:
    many = pd.DataFrame({"number": range(1000)})
    with engine.connect() as killer, engine.connect() as connection:
        prepare(connection, temporary(KINDS))
        lost = connection.execute(select(func.pg_backend_pid())).scalar_one()
        killer.execute(select(func.pg_terminate_backend(lost)))
        with pytest.raises(TransientError, match="the warehouse does not answer"):
            copy_in(connection, temporary(KINDS), many)
        assert connection.invalidated
