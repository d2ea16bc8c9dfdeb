"""Scenarios: TOML files that say which place is played, over which time, with which exact counts and habits."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from demo.catalogue import Procedure, procedures

Count = Annotated[int, Field(ge=0)]
Rate = Annotated[float, Field(ge=0, le=1)]
_FOLDER = Path(__file__).parent / "scenarios"
_PLACES = Path(__file__).parent / "places"


class ScenarioError(Exception):
    """A scenario that cannot be played; the text names the file and what is wrong with it."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Block(_Table):
    """A set of dossiers with exact counts; the counts of all blocks together are the published figures."""

    name: str
    units: tuple[str, ...] = Field(("commune",), description="unit codes or kinds")
    fields: tuple[str, ...] = ()
    except_fields: tuple[str, ...] = ()
    levels: tuple[str, ...] = ("district", "commune")
    online_levels: tuple[int, ...] = (2, 3, 4)
    procedures: tuple[str, ...] = Field((), description="names, where a block is about certain procedures only")
    received: Count = 0
    carried_in: Count = Field(0, description="received before the period, resolved inside it")
    open: Count = Field(0, description="of the received: still open at the end")
    overdue: Count = Field(0, description="of the open: past their due date")
    gap: Count = Field(0, description="of the received: status 10 without an end of handling")
    withdrawn: Count = Field(0, description="of the received: closed without result")
    refused: Count = Field(0, description="beside the received: online, never accepted")
    online: Count = 0
    post_in: Count = 0
    post_out: Count = Field(0, description="of the resolved: result sent by post")
    late: Rate = Field(0.0, description="of the resolved, on average")
    supplement: Rate = Field(0.03, description="dossiers that are asked for more papers")


class Habit(_Table):
    """How a unit differs from the others; what is left out is drawn from the seed."""

    size: float | None = Field(None, gt=0, description="share of the work, relative")
    speed: float | None = Field(None, gt=0, description="part of the statutory time used, relative: 1.3 is slow")
    late: float | None = Field(None, ge=0, description="late rate, relative")
    online: float | None = Field(None, gt=0, description="use of the online channel, relative")
    response: Rate | None = Field(None, description="resolved dossiers whose applicant answers the survey")
    satisfied: Rate | None = Field(None, description="satisfied answers")
    accept_hours: float = Field(1.2, gt=0, description="mean working hours until an online dossier is accepted")
    open: Count | None = Field(None, description="dossiers open at the end of the history")
    overdue: Count = Field(0, description="of these, overdue")
    registered: Count = Field(0, description="online dossiers not yet accepted at the end of the history")


class Surveys(_Table):
    """Answers at the tablets: the range of response rates, the satisfied part, and the part without dossier code."""

    response: tuple[Rate, Rate] = (0.08, 0.3)
    satisfied: Rate = 0.99
    anonymous: Rate = 0.25


class Live(_Table):
    """What arrives after the history, around the clock."""

    arrivals_per_hour: float = Field(180.0, gt=0.1, le=1500)
    same_day: Rate = Field(0.97, description="arrivals that are done within minutes")
    some_hours: Rate = Field(0.0255, description="arrivals that take some hours; the rest takes its statutory time")
    minutes: tuple[float, float] = (1.5, 25.0)


class _File(_Table):
    title: str
    note: str = ""
    place: str
    seed: int
    start: date | None = None
    end: date | None = Field(None, description="first day after the period")
    history_days: int | None = Field(None, ge=30, le=1500, description="in place of start and end: to the first start")
    catalogue: dict[Literal["district", "commune", "interlinked"], int]
    online_services: dict[Literal["partial", "full"], int] | None = None
    surveys: Surveys = Surveys()
    live: Live | None = None
    blocks: tuple[Block, ...]
    habits: dict[str, Habit] = {}

    @model_validator(mode="after")
    def _one_kind_of_time(self) -> _File:
        frozen = self.start is not None and self.end is not None and self.live is None
        if frozen == (self.history_days is not None and self.live is not None):
            raise ValueError("give either start and end, or history_days and [live]")
        return self


@dataclass(frozen=True, slots=True)
class Place:
    """One unit of the tree; `parent` is empty at the top, coordinates are degrees."""

    code: str
    name: str
    kind: str
    parent: str
    lat: float
    lon: float
    population: int


@dataclass(frozen=True)
class Scenario:
    """A scenario as it is played: the file, its units in the order of the file, and its procedures."""

    name: str
    file: _File
    agency: str
    valid_from: date
    units: tuple[Place, ...]
    procedures: tuple[Procedure, ...]

    @property
    def is_live(self) -> bool:
        """Whether dossiers go on arriving."""
        return self.file.live is not None


def names() -> list[str]:
    """Return the names of the scenarios that come with the demonstration."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load(name_or_file: str) -> Scenario:
    """Load a scenario by name or by the path of a TOML file; ScenarioError says what is wrong with it."""
    path = Path(name_or_file) if name_or_file.endswith(".toml") else _FOLDER / f"{name_or_file}.toml"
    if not path.is_file():
        raise ScenarioError(f"{name_or_file}: no such scenario; there are {', '.join(names())}, or give a .toml file")
    try:
        file = _File(**_read(path))
        place = _read(_PLACES / f"{file.place}.toml")
        online = file.online_services
        levels = {3: online.get("partial", 0), 4: online.get("full", 0)} if online else None
        chosen = procedures({str(level): n for level, n in file.catalogue.items()}, levels)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise ScenarioError(f"{path}: {wrong}") from None
    except (OSError, tomllib.TOMLDecodeError, ValueError) as error:
        raise ScenarioError(f"{path}: {error}") from None
    units = tuple(Place(*row) for row in place["units"])
    return Scenario(path.stem, file, place["agency"], place["valid_from"], units, tuple(chosen))


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
