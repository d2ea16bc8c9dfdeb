"""A list of records that a real server pages by number, offset or link, and that moves while it is read."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from connectors.batch import Batch
from connectors.readers import rest
from tests.connectors.intake import Call, Intake, Reply
from warehouse.sources import RestSettings

FIELDS = {"MaHoSo": True, "NgayCapNhat": True}
PAGINGS: dict[str, dict[str, Any]] = {
    "page": {"kind": "page", "parameter": "p", "size_parameter": "n"},
    "page from 0": {"kind": "page", "parameter": "p", "first": 0, "size_parameter": "n"},
    "offset": {"kind": "offset", "parameter": "o", "size_parameter": "n"},
    "link": {"kind": "link", "next": "links.next", "size_parameter": "n"},
    "header": {"kind": "link", "size_parameter": "n"},
}


def item(number: int, version: int = 0) -> dict[str, Any]:
    return {"MaHoSo": f"H-{number}", "NgayCapNhat": f"{version}"}


def settings(intake: Intake, paging: str, **options: Any) -> RestSettings:  # noqa: ANN401
    pages = PAGINGS[paging] | options.pop("pages", {})
    plain = {"kind": "rest", "url": intake.url, "page_size": 4, "timeout_seconds": 2.0, "retries": 0}
    return RestSettings(**(plain | {"pages": pages} | options))


def batches(chosen: RestSettings, position: str | None = None, batch_rows: int = 1000) -> list[Batch]:
    return list(rest.read(chosen, position, FIELDS, ("MaHoSo",), batch_rows))


def codes(read: list[Batch]) -> list[str]:
    return [code for batch in read for code in batch.frame["MaHoSo"]]


@dataclass
class MovingList:
    """Answers the calls of an intake; `before` is called ahead of each, `order` says how the list stands then."""

    records: list[dict[str, Any]]
    before: Callable[[Call, MovingList], None] | None = None
    order: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] = list
    cap: int = 1000
    total: bool = False
    clamp: bool = False
    sizes: list[int] = field(default_factory=list)

    def __call__(self, call: Call) -> Reply:
        if self.before is not None:
            self.before(call, self)
        asked = call.query | {name: str(value) for name, value in (json.loads(call.body or b"{}")).items()}
        size = min(self.cap, int(asked["n"]))
        standing = self.order(self.records)
        start = int(asked["o"]) if "o" in asked else (int(asked.get("p", "1")) - self.first(asked)) * size
        if self.clamp and start >= len(standing):
            start = max(0, (len(standing) - 1) // size * size)
        found = standing[start : start + size]
        self.sizes.append(len(found))
        reply: dict[str, Any] = {"data": found} | ({"total": len(standing)} if self.total else {})
        headers = {}
        if start + size < len(standing):
            following = f"{call.path}?p={start // size + 2}&n={size}"
            reply["links"] = {"next": following}
            headers = {"Link": f'<{following}>; rel="next", </first>; rel="first"'}
        else:
            reply["links"] = {"next": None}
        return Reply(json.dumps(reply).encode(), headers=headers)

    first_page: int = 1

    def first(self, asked: dict[str, str]) -> int:
        del asked
        return self.first_page


class Restless:
    """Changes the list at random before each call, and knows which records stayed as they were."""

    def __init__(self, rng: random.Random, chance: float, kinds: tuple[str, ...], most: int = 12) -> None:
        self.rng, self.chance, self.kinds, self.left = rng, chance, kinds, most
        self.touched: set[str] = set()
        self._made = 1000

    def __call__(self, call: Call, moving: MovingList) -> None:
        del call
        while self.left > 0 and self.rng.random() < self.chance:
            self.left -= 1
            getattr(self, self.rng.choice(self.kinds))(moving.records)

    def update(self, records: list[dict[str, Any]]) -> None:
        """A record changes and moves to the end, as in a list ordered by the last change."""
        if records:
            old = records.pop(self.rng.randrange(len(records)))
            self.touched.add(old["MaHoSo"])
            records.append(old | {"NgayCapNhat": f"{int(old['NgayCapNhat']) + 1}"})

    def bump(self, records: list[dict[str, Any]]) -> None:
        """A record changes and moves to the front."""
        if records:
            self.update(records)
            records.insert(0, records.pop())

    def remove(self, records: list[dict[str, Any]]) -> None:
        """A record leaves the list."""
        if records:
            self.touched.add(records.pop(self.rng.randrange(len(records)))["MaHoSo"])

    def insert(self, records: list[dict[str, Any]]) -> None:
        """A new record comes anywhere."""
        self._made += 1
        self.touched.add(f"H-{self._made}")
        records.insert(self.rng.randrange(len(records) + 1), item(self._made))
