"""What the simulated intake keeps on disk: where the live history ends, and the dossiers created by hand."""

from __future__ import annotations

import fcntl
import json
import os
from datetime import datetime
from pathlib import Path
from typing import IO

from demo.office import local_seconds, to_datetime
from demo.simulation import Handmade


class StateError(Exception):
    """The state folder cannot be used; the text says why and what to do."""


class State:
    """A folder with `anchor.json` and `created.jsonl`; survives a kill at any moment. Held by one server at a time."""

    def __init__(self, folder: Path, scenario: str, seed: int, now: int) -> None:
        self.folder = folder
        self._lock = self._held()
        self.anchor = self._anchor(scenario, seed, now)
        self._created = folder / "created.jsonl"

    def _held(self) -> IO[str]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / "lock").open("a", encoding="utf-8")
        except OSError as error:
            raise StateError(
                f"{self.folder}: the state folder cannot be written ({error.strerror}); name another with --state"
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise StateError(f"{self.folder}: another intake uses this state folder; stop it or name another") from None
        return lock

    def _anchor(self, scenario: str, seed: int, now: int) -> int:
        file = self.folder / "anchor.json"
        mine = {"scenario": scenario, "seed": seed}
        if file.exists():
            try:
                kept = json.loads(file.read_text(encoding="utf-8"))
                anchor = local_seconds(datetime.fromisoformat(kept["anchor"]))
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise StateError(f"{file}: cannot be read ({error}); remove the folder to start anew") from None
            if {name: kept.get(name) for name in mine} != mine:
                raise StateError(
                    f"{file}: this state belongs to scenario {kept.get('scenario')} with seed {kept.get('seed')};"
                    f" name another folder with --state, or remove this one"
                )
            return anchor
        _write_safely(file, json.dumps({**mine, "anchor": to_datetime(now).isoformat()}))
        return now

    def created(self) -> list[Handmade]:
        """Return the dossiers created by hand so far; half a last line, left by a crash, was never answered for."""
        if not self._created.exists():
            return []
        text = self._created.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            _write_safely(self._created, whole)
        return [Handmade(**json.loads(line)) for line in whole.splitlines()]

    def keep(self, made: Handmade) -> None:
        """Write a created dossier down before it is answered for."""
        with self._created.open("a", encoding="utf-8") as file:
            file.write(json.dumps(made._asdict()) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def close(self) -> None:
        """Let another server use the folder."""
        self._lock.close()


def _write_safely(file: Path, text: str) -> None:
    new = file.with_suffix(".new")
    with new.open("w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    new.replace(file)
