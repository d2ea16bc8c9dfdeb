"""The promises of the schema: no personal data, natural keys, nothing lost."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import DateTime, Engine, Enum, UniqueConstraint
from sqlalchemy.exc import IntegrityError

from warehouse import schema, vocabulary

PERSONAL = (
    "applicant", "chu_ho_so", "chuhoso", "citizen", "cccd", "cmnd", "identity", "dinh_danh", "email", "phone", "tel",
    "mobile", "fax", "address", "birth", "gender", "person", "owner", "full_name", "abstract", "trich_yeu", "comment",
    "passport", "account_number",
)  # fmt: skip
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_no_column_is_for_personal_data() -> None:
    for table in schema.metadata.tables.values():
        for column in table.columns:
            assert not any(word in column.name for word in PERSONAL), f"{table.name}.{column.name}"
    with_name = {table.name for table in schema.metadata.tables.values() if "name" in table.columns}
    assert with_name == {"unit", "procedure"}


def test_every_unique_key_of_dossiers_holds_the_code() -> None:
    for name in ("dossier", "dossier_change", "dossier_step"):
        table = schema.metadata.tables[name]
        assert "code" in table.primary_key.columns
        assert not table.foreign_keys
        assert not [item for item in table.constraints if isinstance(item, UniqueConstraint)]


def test_every_instant_has_a_zone_and_no_type_is_private_to_one_database() -> None:
    for table in schema.metadata.tables.values():
        for column in table.columns:
            assert not isinstance(column.type, Enum), column
            if isinstance(column.type, DateTime):
                assert column.type.timezone, column


def test_a_run_that_lost_a_record_cannot_be_written(engine: Engine) -> None:
    run = {"source": "a", "entity": "dossier", "started_at": NOW, "state": "ok", "read": 10, "stored": 9}
    with pytest.raises(IntegrityError, match="nothing_lost"), engine.begin() as connection:
        connection.execute(schema.sync_run.insert(), run)


@pytest.mark.parametrize("status", [0, 11, -1])
def test_a_status_outside_the_code_list_cannot_be_written(engine: Engine, status: int) -> None:
    row = {"source": "a", "code": "1", "unit": "u", "seen_at": NOW, "payload_hash": "h", "status": status}
    with pytest.raises(IntegrityError, match="status"), engine.begin() as connection:
        connection.execute(schema.dossier.insert(), row)


def test_every_term_has_words_in_both_languages() -> None:
    terms = [
        term
        for kind in vars(vocabulary).values()
        if isinstance(kind, type) and issubclass(kind, vocabulary.IntEnum | vocabulary.StrEnum)
        for term in kind
    ]
    assert len(terms) > 40
    for term in terms:
        assert vocabulary.label(term, "vi").strip()
        assert vocabulary.label(term, "en").strip()


def test_sets_of_statuses_do_not_contradict() -> None:
    assert vocabulary.WITH_RESULT.isdisjoint(vocabulary.WITHOUT_RESULT)
    assert vocabulary.CLOSED.isdisjoint(vocabulary.WAITING)
    assert {int(status) for status in vocabulary.Status} == set(range(1, 11))
