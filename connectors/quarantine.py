"""Rows that were refused: kept with their reason, and marked resolved once a later version was stored.

What is kept of a record are the fields that the mapping names; of lists what rules look at. What looks like a phone
number, an identity card, an e-mail address or a person's name in the wrong place is masked (connectors.masking). A row
is `complete` when its payload is enough to read the record again: nothing left out, cut or masked.

A payload is field to text (none: empty); a field that the record did not have at all is named in `@absent` instead;
`source_updated_at` is the version that the record gave itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import ARRAY, Connection, DateTime, Text, and_, cast, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from connectors.checks import NAMES, Refusal
from connectors.entities import UPDATED, Kind, Shape
from connectors.mapping import SourceMapping
from connectors.masking import mask, mask_within
from connectors.staging import copy_in, prepare, temporary
from connectors.transform import Mapped
from warehouse.schema import quarantine

LONGEST_VALUE = 200
BETWEEN = " / "
"""Stands between the parts of a key of several columns."""
ABSENT = "@absent"
Payload = dict[str, Any]


def refused_rows(
    mapping: SourceMapping, mapped: Mapped, refusals: Sequence[Refusal], shape: Shape
) -> list[dict[str, Any]]:
    """Make the quarantine rows of a batch, one for each refusal, in their order."""
    if not refusals:
        return []
    codes = key_texts(shape, mapped.frame.iloc[[refusal.row for refusal in refusals]]).tolist()
    keeper = _Keeper(mapping, mapped, shape)
    rows = []
    for refusal, code in zip(refusals, codes, strict=True):
        payload, complete, hidden = keeper.payload(refusal.row)
        text = json.dumps(payload, sort_keys=True, ensure_ascii=False)
        detail = refusal.detail
        for shown, kept in hidden:
            detail = detail.replace(shown, kept)
        rows.append({
            "payload_hash": hashlib.sha256(text.encode()).hexdigest()[:32], "reason": refusal.reason,
            "detail": mask_within(detail), "payload": text, "complete": complete,
            "code": None if pd.isna(code) else mask(str(code)[:LONGEST_VALUE], codes=True, numbers=True),
            "place": mask_within(mapped.place(refusal.row)), "row": refusal.row,
        })  # fmt: skip
    return rows


class _Keeper:
    """Says what may be kept of the records of a batch."""

    def __init__(self, mapping: SourceMapping, mapped: Mapped, shape: Shape) -> None:
        self.mapped, self.fields, self.nested = mapped, frozenset(mapping.source_fields), mapping.nested_fields
        self.updated = mapped.frame[UPDATED].astype(object).where(mapped.frame[UPDATED].notna(), None).tolist()
        self.told_by_presence = _told_by_presence(mapping)
        self.numbers = set(mapping.key_fields)
        self.names: set[str] = set()
        for column, field in mapping.fields.items():
            if column in NAMES:
                self.names |= {name for rule in field.rules for name in rule.fields()}
            if shape.columns[column] in {Kind.INTEGER, Kind.NUMBER}:
                self.numbers |= {name for rule in field.rules if rule.codes is None for name in rule.fields()}

    def payload(self, row: int) -> tuple[Payload, bool, list[tuple[str, str]]]:
        """Return what is kept of a row, whether that is all, and what a detail may show in place of what is hidden."""
        fields, complete = self.mapped.payload(row)
        hidden: list[tuple[str, str]] = []
        payload: Payload = {}
        for name, text in fields.items():
            payload[name], whole = (text, True) if text is None else self._kept(name, text)
            if text is not None and not whole:
                shown = payload[name] or "***"
                hidden += [(form, shown) for form in (repr(text), repr(text[:80]), text, text[:80])]
            complete &= whole
        if absent := sorted(self.fields - set(fields)):
            payload[ABSENT] = absent
        updated = self.updated[row]
        payload[UPDATED] = None if updated is None else updated.isoformat()
        return payload, complete, hidden

    def _kept(self, name: str, text: str) -> tuple[str | None, bool]:
        """What is kept of a field, and whether it is all that the mapping looks at."""
        if name not in self.nested:
            kept = mask(text, codes=name not in self.names, numbers=name in self.numbers)
            return kept, kept == text
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return None, False
        told = _without(found, self.told_by_presence.get(name, frozenset()))
        masked = _masked(told)
        return json.dumps(masked, ensure_ascii=False), masked == told


def _told_by_presence(mapping: SourceMapping) -> dict[str, frozenset[str]]:
    """Items of lists of which a mapping asks only whether they are empty, such as the path of a file."""
    found: dict[str, set[str]] = {}
    others = {name for rows in mapping.row_sets for name in rows.sources}
    rules = [rule for field in mapping.fields.values() for rule in field.rules if rule.source and rule.item]
    others |= {str(rule.source) for rule in rules if rule.take != "any" or rule.among}
    for rule in rules:
        if rule.source not in others:
            found.setdefault(str(rule.source), set()).add(str(rule.item))
    return {name: frozenset(items) for name, items in found.items()}


def _without(value: Any, items: frozenset[str]) -> Any:  # noqa: ANN401 - JSON
    """A list of records where these items, if they are not empty, are only said to be there."""
    if not isinstance(value, list):
        return value
    return [
        {name: "***" if name in items and str(part or "").strip() else part for name, part in entry.items()}
        if isinstance(entry, dict)
        else entry
        for entry in value
    ]


def _masked(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        return mask(value, codes=True)
    if isinstance(value, int) and not isinstance(value, bool):
        return value if mask(str(value), codes=True) == str(value) else mask(str(value), codes=True)
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if isinstance(value, dict):
        return {mask_within(key): _masked(item) for key, item in value.items()}
    return value


def key_texts(shape: Shape, frame: pd.DataFrame) -> pd.Series[str]:
    """The whole natural key of each row as one text, missing where its first part is; other missing parts are '?'."""
    parts: list[Any] = [
        frame[name].dt.strftime("%Y-%m-%d") if shape.columns[name] is Kind.DATE else frame[name].astype("str")
        for name in shape.key
    ]
    first, *others = (
        part.astype(object).where(frame[name].notna(), None) for part, name in zip(parts, shape.key, strict=True)
    )
    whole = first if not others else first.str.cat([part.fillna("?") for part in others], sep=BETWEEN)
    keys: pd.Series[str] = whole
    return keys


def resolve(connection: Connection, source: str, shape: Shape, rows: pd.DataFrame, now: datetime) -> int:
    """Mark refused records as resolved of which `rows`, good and just stored, are a version that is not older."""
    waiting = and_(_stream(source, shape), quarantine.c.resolved_at.is_(None))
    if not len(rows) or not connection.execute(select(exists().where(waiting))).scalar_one():
        return 0
    keys = key_texts(shape, rows)
    found = select(quarantine.c.code).distinct().where(waiting, quarantine.c.code == func.any(_texts(keys.tolist())))
    hit = keys.isin(list(connection.execute(found).scalars()))
    if not hit.any():
        return 0
    newest = rows.loc[hit, UPDATED].groupby(keys[hit].to_numpy()).max()
    times = [None if pd.isna(time) else time.to_pydatetime() for time in newest]
    good = func.unnest(_texts(newest.index.tolist()), cast(times, ARRAY(DateTime(timezone=True)))).table_valued(
        "code", "updated", name="good"
    )
    good = good.render_derived()
    said = cast(quarantine.c.payload[UPDATED].astext, DateTime(timezone=True))
    mark = update(quarantine).where(waiting, quarantine.c.code == good.c.code)
    mark = mark.where(or_(said.is_(None), said <= good.c.updated)).values(resolved_at=now)
    return int(connection.execute(mark).rowcount)


def _texts(values: Sequence[str | None]) -> Any:  # noqa: ANN401 - an array of PostgreSQL
    return cast(list(values), ARRAY(Text))


def _stream(source: str, shape: Shape) -> Any:  # noqa: ANN401 - a condition
    return and_(quarantine.c.source == source, quarantine.c.entity == str(shape.entity))


def keep(
    connection: Connection,
    source: str,
    shape: Shape,
    rows: Sequence[dict[str, Any]],
    now: datetime,
    good: pd.DataFrame,
) -> int:
    """Keep refused records, the same one refused twice as one row, and return how many are new.

    One that is already kept stays as it is. Resolved at once is a record of which a newer version is stored, or, where
    it has no time of its own, one after which a row of `good` came in the same batch; one without a time that was
    resolved earlier and comes again is open again: the last to arrive stands.
    """
    if not rows:
        return 0
    staged = temporary(quarantine)
    prepare(connection, staged)
    frame = pd.DataFrame(rows).drop_duplicates(["payload_hash", "reason"], keep="last")
    time = pd.Timestamp(now).tz_convert("UTC").as_unit("s")
    frame = frame.assign(source=source, entity=str(shape.entity), first_seen_at=time)
    frame["resolved_at"] = pd.Series(time, index=frame.index).where(_overtaken(shape, frame, good))
    copy_in(connection, staged, frame.drop(columns="row"))
    names = [column.name for column in quarantine.columns]
    new = insert(quarantine).from_select(names, select(*(staged.c[name] for name in names)))
    undated = and_(quarantine.c.payload[UPDATED].astext.is_(None), new.excluded.resolved_at.is_(None))
    kept = new.on_conflict_do_update(
        index_elements=[column.name for column in quarantine.primary_key.columns],
        set_={"resolved_at": None}, where=and_(quarantine.c.resolved_at.is_not(None), undated),
    )  # fmt: skip
    count = int(connection.execute(kept).rowcount)
    if count and UPDATED in shape.table.c:
        codes = [code for code in frame["code"] if code is not None]
        _resolve_outdated(connection, source, shape, codes, now)
    return count


def _overtaken(shape: Shape, refused: pd.DataFrame, good: pd.DataFrame) -> pd.Series[bool]:
    """Which refused records have no time of their own and are followed by a good row of the same key."""
    undated = refused["payload"].map(lambda text: json.loads(text)[UPDATED] is None)
    if not undated.any() or not len(good):
        return undated & False
    keys = key_texts(shape, good)
    last = keys.index.to_series().groupby(keys.to_numpy()).max()
    return undated & (refused["code"].map(last) > refused["row"])


def _resolve_outdated(connection: Connection, source: str, shape: Shape, codes: Sequence[str], now: datetime) -> None:
    table = shape.table
    said = cast(quarantine.c.payload[UPDATED].astext, DateTime(timezone=True))
    whole = [cast(table.c[name], Text) for name in shape.key]
    mark = (
        update(quarantine)
        .where(_stream(source, shape), quarantine.c.code == func.any(_texts(codes)), quarantine.c.resolved_at.is_(None))
        .where(_first_part(shape) == table.c[shape.key[0]], table.c[UPDATED] >= said)
        .values(resolved_at=now)
    )
    if "source" in table.c:
        mark = mark.where(table.c.source == source)
    if len(whole) > 1:
        mark = mark.where(func.concat_ws(BETWEEN, *whole) == quarantine.c.code)
    connection.execute(mark)


def _first_part(shape: Shape) -> Any:  # noqa: ANN401 - an expression
    """The part of a key that an index can find."""
    return quarantine.c.code if len(shape.key) == 1 else func.split_part(quarantine.c.code, BETWEEN, 1)


@dataclass(frozen=True, slots=True)
class Again:
    """A quarantined record that is tried again: what its row is known by."""

    payload_hash: str
    reason: str


def settle(connection: Connection, source: str, shape: Shape, rows: Sequence[Again], now: datetime) -> None:
    """Mark records as resolved that were tried again and are stored now."""
    if rows:
        again = _listed([(row, None) for row in rows])
        mark = update(quarantine).where(_stream(source, shape), *_same(again)).values(resolved_at=now)
        connection.execute(mark)


def restate(connection: Connection, source: str, shape: Shape, rows: Sequence[tuple[Again, Refusal]]) -> None:
    """Give records that were refused again the reason that they have now; the same record waits once for a reason."""
    if not rows:
        return
    first: dict[tuple[str, str], tuple[Again, Refusal]] = {}
    for row, refusal in rows:
        first.setdefault((row.payload_hash, refusal.reason), (row, refusal))
    again, mine = _listed(list(first.values())), _stream(source, shape)
    other = quarantine.alias("other")
    taken = exists().where(
        other.c.source == source, other.c.entity == str(shape.entity), other.c.reason != quarantine.c.reason,
        other.c.payload_hash == again.c.payload_hash, other.c.reason == again.c.now,
    )  # fmt: skip
    change = update(quarantine).where(mine, *_same(again), ~taken)
    connection.execute(change.values(reason=again.c.now, detail=again.c.detail))
    again = _listed(rows)
    moved = again.c.now != again.c.reason
    waits = and_(quarantine.c.payload_hash == again.c.payload_hash, quarantine.c.reason == again.c.now)
    connection.execute(update(quarantine).where(mine, moved, waits).values(resolved_at=None))
    connection.execute(delete(quarantine).where(mine, exists().where(moved, *_same(again))))


def _listed(rows: Sequence[tuple[Again, Refusal | None]]) -> Any:  # noqa: ANN401 - a table
    """The rows as a table: payload_hash and reason as they are, reason and detail as they are `now`."""
    columns: dict[str, list[str | None]] = {
        "payload_hash": [row.payload_hash for row, _ in rows],
        "reason": [row.reason for row, _ in rows],
        "now": [refusal.reason if refusal else None for _, refusal in rows],
        "detail": [mask_within(refusal.detail) if refusal else None for _, refusal in rows],
    }
    return (
        func.unnest(*(_texts(values) for values in columns.values()))
        .table_valued(*columns, name="again")
        .render_derived()
    )


def _same(again: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a table
    return quarantine.c.payload_hash == again.c.payload_hash, quarantine.c.reason == again.c.reason


__all__ = ["ABSENT", "BETWEEN", "Again", "keep", "key_texts", "refused_rows", "resolve", "restate", "settle"]
