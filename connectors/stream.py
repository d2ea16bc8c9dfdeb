"""A stream: one entity of one source, with all that is needed to read, map and check it."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from connectors.batch import Batch
from connectors.checks import Action, actions
from connectors.entities import SHAPES, Shape
from connectors.mapping import SourceMapping, load_mapping
from connectors.memory import spare_memory
from connectors.readers import read_source
from connectors.transform import Mapped, apply_mapping
from warehouse.errors import ConfigurationError
from warehouse.settings import Settings
from warehouse.sources import FileSettings, SourceSettings
from warehouse.vocabulary import Entity


@dataclass(frozen=True, slots=True)
class Stream:
    """A source made ready: its mapping, shape and checks."""

    source: SourceSettings
    mapping: SourceMapping
    shape: Shape
    checks: Mapping[str, Action]
    zone: ZoneInfo
    restates: bool = False
    """Whether of two versions of the same second the one that arrives later stands: files are corrected that way, and a
    source that is read again from its start after its mapping was corrected."""

    @classmethod
    def of(cls, settings: Settings, source: SourceSettings) -> Stream:
        """Load the mapping of a source and check that it fits.

        Raises ConfigurationError.
        """
        spare_memory()
        mapping = load_mapping(source.mapping)
        if source.entity is Entity.REFERENCE_DOSSIER and mapping.entity is Entity.DOSSIER:
            mapping = mapping.model_copy(update={"entity": source.entity, "children": ()})
        if mapping.entity is not source.entity:
            raise ConfigurationError(
                f"source {source.name}: entity = {source.entity}, but the mapping {Path(source.mapping).name}"
                f" is one of {mapping.entity}; change one of them"
            )
        corrects = isinstance(source.reader, FileSettings)
        return cls(source, mapping, SHAPES[source.entity], actions(source.checks), settings.zone, corrects)

    def read(self, position: str | None) -> Iterator[Batch]:
        """Read everything after a position, batch by batch."""
        mapping = self.mapping
        zone = ZoneInfo(mapping.timezone) if mapping.timezone else self.zone
        return read_source(
            self.source.reader, position, mapping.source_fields, mapping.key_fields, self.source.batch_rows, zone
        )

    def mapped(self, position: str | None) -> Generator[tuple[Batch, Mapped]]:
        """Read everything after a position and apply the mapping."""
        for batch in self.read(position):
            yield batch, self.map(batch)

    def map(self, batch: Batch) -> Mapped:
        """Apply the mapping to one batch."""
        return apply_mapping(self.mapping, batch, self.zone)
