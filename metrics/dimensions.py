"""What a question may be grouped and filtered by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from warehouse.vocabulary import Channel, OnlineLevel, ReturnChannel, UnitKind

Code = str | int | None
"""A value of a dimension: a code, None where unknown."""

OVERDUE_AGES: Mapping[str, tuple[int, int | None]] = {
    "0-6": (0, 7),
    "7-29": (7, 30),
    "30-89": (30, 90),
    "90+": (90, None),
}
"""Whole days late, from the first number up to, not including, the second."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """One way to group: `vocabulary` lists its codes where they are fixed; time dimensions cut the period."""

    name: str
    vocabulary: type[IntEnum] | type[StrEnum] | None = None
    is_time: bool = False
    of_catalogue: bool = False
    """Whether it is a property of the procedure."""

    @property
    def is_number(self) -> bool:
        """Whether its codes are numbers."""
        return self.vocabulary is not None and issubclass(self.vocabulary, IntEnum)


DIMENSIONS: Mapping[str, Dimension] = {
    dimension.name: dimension
    for dimension in (
        Dimension("unit"),
        Dimension("unit_kind", UnitKind),
        Dimension("field", of_catalogue=True),
        Dimension("procedure"),
        Dimension("channel", Channel),
        Dimension("online_level", OnlineLevel, of_catalogue=True),
        Dimension("return_channel", ReturnChannel),
        Dimension("overdue_age"),
        Dimension("device"),
        Dimension("day", is_time=True),
        Dimension("month", is_time=True),
    )
}
"""Every dimension by its name."""

FILTERS = tuple(name for name, dimension in DIMENSIONS.items() if not dimension.is_time)
"""Dimensions that can also narrow a question."""
