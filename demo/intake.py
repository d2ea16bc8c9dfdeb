"""The simulated intake as its clients see it: four lists with cursors, and dossiers created by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from demo.draw import generator
from demo.feed import Feed
from demo.office import from_stamp, stamps
from demo.records import Maker, Record, dossier_records, procedure_records, survey_records, unit_records
from demo.scenario import Scenario
from demo.simulation import Handmade, Simulation
from demo.state import State
from warehouse.vocabulary import Channel

Clock = Callable[[], int]
"""Returns the current whole second of the local wall clock."""


class BadRequest(Exception):  # noqa: N818 - named for what the client sent
    """The client asked for something that does not exist; the text says what."""


@dataclass(frozen=True)
class Page:
    """One page of a list; `cursor` stands after its last record."""

    records: list[Record]
    cursor: str
    now: int

    def body(self) -> bytes:
        """Return the page as it goes over the wire."""
        reply = {"data": self.records, "next_cursor": self.cursor, "server_time": stamp(self.now)}
        return json.dumps(reply, ensure_ascii=False, separators=(",", ":")).encode()


class Intake:
    """Answers for one scenario; `state` keeps its anchor and what was created by hand, None keeps nothing."""

    def __init__(self, scenario: Scenario, clock: Clock, state: State | None, anchor: int | None = None) -> None:
        self.scenario, self.clock, self.state = scenario, clock, state
        now = clock()
        at = state.anchor if state else now if anchor is None else anchor
        self.simulation = Simulation(scenario, at, seen_from=now)
        self.simulation.advance(now)
        self._made: list[Handmade] = state.created() if state else []
        for made in self._made:
            self.simulation.create(made)
        self._fixed: dict[str, list[Record]] = {
            "procedures": procedure_records(scenario, self.simulation.start),
            "units": unit_records(scenario, self.simulation.start),
        }

    def page(self, name: str, cursor: str, limit: int) -> Page:
        """Return a page of dossiers, surveys, procedures or units; BadRequest for a cursor that is none."""
        now = self.clock()
        if name in self._fixed:
            return self._fixed_page(name, cursor, limit, now)
        simulation = self.simulation
        feed = simulation.dossiers if name == "dossiers" else simulation.surveys
        make = dossier_records if name == "dossiers" else survey_records
        return self._changing_page(feed, make, cursor, limit, now)

    def _changing_page(self, feed: Feed, make: Maker, cursor: str, limit: int, now: int) -> Page:
        rows, changed = self.simulation.page(feed, self.after(cursor), limit, now)
        if not len(rows):
            return Page([], cursor, now)
        records = make(self.simulation, rows, changed, now)
        last = self.simulation.code(int(rows[-1]))
        return Page(records, f"{stamp(int(changed[-1]))}~{last}", now)

    def after(self, cursor: str) -> tuple[int, int] | None:
        """Return the place in a changing list that a cursor stands for, None for its beginning; BadRequest."""
        if not cursor:
            return None
        when, _, code = cursor.partition("~")
        try:
            return from_stamp(when), self.simulation.coder.key_of(code)
        except ValueError as error:
            raise BadRequest(f"cursor {cursor!r}: {error}") from None

    def _fixed_page(self, name: str, cursor: str, limit: int, now: int) -> Page:
        key = {"procedures": "MaTTHC", "units": "MaDonVi"}[name]
        rest = [row for row in self._fixed[name] if f"{row['NgayCapNhat']}~{row[key]}" > cursor][:limit]
        last = f"{rest[-1]['NgayCapNhat']}~{rest[-1][key]}" if rest else cursor
        return Page(rest, last, now)

    def create(self, unit: str | None, channel: int | None) -> str:
        """Create a dossier that is received now and return its code; BadRequest for an unknown unit or channel."""
        # the clock is read and the dossier added in one go: a reader that is past this second has seen it
        with self.simulation.lock:
            at, number = self.clock(), len(self._made) % 10_000
            made = Handmade(unit or self._some_unit(len(self._made)), channel or int(Channel.IN_PERSON), at, number)
            try:
                self.simulation.check(made)
            except ValueError as error:
                raise BadRequest(str(error)) from None
            if self.state:
                self.state.keep(made)
            self._made.append(made)
            return self.simulation.create(made)

    def _some_unit(self, number: int) -> str:
        units = self.simulation.arrivals.units
        choice = generator(self.scenario.file.seed, "unit", number).integers(len(units))
        return self.scenario.units[int(units[choice])].code


def stamp(instant: int) -> str:
    """Return one instant (local seconds) as yyyyMMddHHmmss."""
    return stamps(np.array([instant]))[0]
