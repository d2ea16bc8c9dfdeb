"""A filled warehouse of any size: a city of 168 communes, or more; two years of dossiers up to now, some late."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, text

from warehouse.engine import advance_version

ROOT_UNIT = "785"
COMMUNES = 168

_UNITS = """
insert into unit (code, valid_from, name, kind, parent, lat, lon, population)
select '785', date '2004-01-01', 'Huyện', 'district', null, 10.7, 106.5, null
union all
select 'C' || n, '2004-01-01', 'Xã ' || n, 'commune', '785', 10.5 + (n % 13) / 40.0, 106.3 + n / 500.0, 10000
from generate_series(1, :communes) n
"""
_PROCEDURES = """
insert into procedure (code, name, field_code, field, level, online_level)
select '1.' || n, 'Thủ tục ' || n, 'F' || n % 20, 'Lĩnh vực ' || n % 20, 'commune', 2 + n % 3
from generate_series(0, 299) n
"""
_DOSSIERS = """
insert into dossier (source, code, procedure, receiving_unit, unit, channel, submitted_at, received_at, first_due_at,
    due_at, finished_at, returned_at, status, return_channel, supplements, source_updated_at, seen_at, payload_hash)
select 'bench', 'H29-' || n, '1.' || floor(300 * chance ^ 3), unit, unit, 1 + n % 3, received, received, due, due,
    finished, finished, case when finished is null then 4 else 10 end, n % 2, n % 2, received, :now, n::text
from (
    select n, chance, 'C' || 1 + n * 31 % :communes as unit, received,
        received + (1 + n % 10) * interval '1 day' as due,
        case when n % 200 > 0 and received + chance * interval '11 days' < :now
            then date_trunc('second', received + chance * interval '11 days') end as finished
    from (
        select n, (n * 7919 % 10007) / 10007.0 as chance,
            date_trunc('second', :now - (n - 0.5) / :dossiers * interval '730 days') as received
        from generate_series(1::bigint, :dossiers) n
    ) as times
) as courses
"""
_ANSWERS = """
insert into survey_answer (source, id, unit, answered_at, scale, score, satisfied, seen_at, payload_hash)
select source, code, unit, finished_at, 'three_level', 3, (hashtext(code) % 10) <> 0, :now, payload_hash
from dossier where finished_at is not null and hashtext(code) % 10 = 1
"""
_RUN = """
insert into sync_run (source, entity, started_at, finished_at, state, read, stored)
values ('bench', 'dossier', :now, :now, 'ok', 1, 1)
"""


def fill(engine: Engine, dossiers: int, now: datetime, communes: int = COMMUNES) -> None:
    """Fill an empty warehouse; the same number gives the same dossiers, counted back from `now`."""
    values = {"now": now, "dossiers": dossiers, "communes": communes}
    with engine.begin() as connection:
        for statement in (_UNITS, _PROCEDURES, _DOSSIERS, _ANSWERS, _RUN):
            clause = text(statement)
            connection.execute(clause, {name: values[name] for name in clause.compile().params})
        advance_version(connection)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
