"""The method of the 766 index: bands, groups and parts, read from index766.toml beside this module."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from metrics.definitions import METRICS, Kind, Unit
from warehouse.errors import ConfigurationError
from warehouse.vocabulary import Label

METHOD_FILE = Path(__file__).with_name("index766.toml")
LEGAL_BASIS = "QĐ 766/QĐ-TTg"
ESTIMATE = Label("Ước tính", "Estimate")
NOT_ENOUGH = Label("Không đủ dữ liệu", "Not enough data")
EVIDENCE = {
    "C": Label("theo mô tả công thức hoặc dữ liệu của Cổng", "as the portal's description or replies say"),
    "R": Label("suy ra từ điểm Cổng đã công bố", "found by computing the portal's scores anew"),
}


@dataclass(frozen=True, slots=True)
class Band:
    """A class of total scores, from `low` on."""

    code: str
    low: float
    colour: str
    label: Label


@dataclass(frozen=True, slots=True)
class Group:
    """A group of parts as the portal splits the index."""

    code: str
    maximum: float
    label: Label


@dataclass(frozen=True, slots=True)
class Part:
    """An indicator: what we measure for it, and how many points its ratio gives.

    Without a `metric` it is not computed, and `missing` says what would be needed; without a `maximum` it has no
    points.
    """

    number: str
    code: str
    group: str
    label: Label
    evidence: str
    metric: str | None = None
    maximum: float | None = None
    full_at: float = 1.0
    missing: Label | None = None
    note: Label | None = None

    def points(self, ratio: float | None) -> float | None:
        """The points of a ratio 0 to 1; None where nothing was measured or the maximum is not known."""
        if ratio is None or self.maximum is None:
            return None
        return min(self.maximum, self.maximum * ratio / self.full_at)

    @property
    def rule(self) -> Label:
        """How the ratio becomes points."""
        if self.maximum is None:
            return Label("điểm tối đa chưa được xác nhận", "its maximum is not confirmed")
        if self.full_at == 1:
            return Label(f"{self.maximum:g} × tỷ lệ", f"{self.maximum:g} × ratio")
        share = f"{self.full_at:.0%}".replace("%", " %")
        return Label(
            f"{self.maximum:g} điểm từ {share} trở lên, dưới đó {self.maximum:g} × tỷ lệ / {share}",
            f"{self.maximum:g} points from {share} on, below {self.maximum:g} × ratio / {share}",
        )


@dataclass(frozen=True, slots=True)
class Method766:
    """A version of the method, and the day of the sources that it was taken from."""

    version: str
    dated: date
    decimals: int
    bands: tuple[Band, ...]
    groups: tuple[Group, ...]
    parts: tuple[Part, ...]

    @classmethod
    def load(cls, file: Path) -> Method766:
        """Read a method; raises ConfigurationError that names the file and what is wrong."""
        try:
            tables = tomllib.loads(file.read_text(encoding="utf-8"))
            bands = tuple(Band(b["code"], float(b["from"]), b["colour"], _label(b)) for b in tables["bands"])
            groups = tuple(Group(g["code"], float(g["maximum"]), _label(g)) for g in tables["groups"])
            parts = tuple(_part(entry) for entry in tables["parts"])
            method = cls(tables["version"], tables["date"], int(tables["decimals"]), bands, groups, parts)
        except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
            raise ConfigurationError(f"{file}: not a method of the 766 index: {error}") from None
        for trouble in _troubles(method):
            raise ConfigurationError(f"{file}: {trouble}")
        return method

    def band(self, score: float | None) -> Band | None:
        """The class of a total score; None without one."""
        if score is None:
            return None
        return next((band for band in self.bands if score >= band.low), None)

    @property
    def computed(self) -> tuple[Part, ...]:
        """The parts that we measure."""
        return tuple(part for part in self.parts if part.metric is not None)


def _label(entry: Mapping[str, Any]) -> Label:
    return Label(entry["vi"], entry["en"])


def _part(entry: dict[str, Any]) -> Part:
    missing, note = (_label(entry.pop(name)) if name in entry else None for name in ("missing", "note"))
    label = Label(entry.pop("vi"), entry.pop("en"))
    return Part(label=label, missing=missing, note=note, **entry)


def _troubles(method: Method766) -> list[str]:
    """What is wrong with a method that could be read."""
    lows = [band.low for band in method.bands]
    found = [] if lows == sorted(lows, reverse=True) and lows[-1:] == [0] else ["bands must go down to from = 0"]
    groups = {group.code for group in method.groups}
    if len({part.number for part in method.parts}) < len(method.parts):
        found.append("two parts have the same number")
    for part in method.parts:
        metric = METRICS.get(part.metric or "")
        if part.metric is not None and (
            metric is None or metric.kind is not Kind.RATIO or metric.unit is not Unit.SHARE
        ):
            found.append(f"part {part.number}: metric {part.metric!r} must be a known share")
        if (part.metric is None) == (part.missing is None):
            found.append(f"part {part.number}: give either metric or missing")
        if part.group not in groups or part.evidence not in EVIDENCE:
            found.append(f"part {part.number}: unknown group {part.group!r} or evidence {part.evidence!r}")
        if not 0 < part.full_at <= 1 or (part.maximum is not None and part.maximum <= 0):
            found.append(f"part {part.number}: full_at must be a share above 0 and maximum above 0")
    return found


METHOD = Method766.load(METHOD_FILE)

__all__ = [
    "ESTIMATE", "EVIDENCE", "LEGAL_BASIS", "METHOD", "METHOD_FILE", "NOT_ENOUGH", "Band", "Group", "Method766", "Part",
]  # fmt: skip
