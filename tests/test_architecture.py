"""The import table of docs/architecture.md holds, and the rooms stay small."""

from __future__ import annotations

import ast
import re
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("warehouse", "connectors", "metrics", "dashboard", "pages", "demo")
TABLE = {
    "warehouse": set(),
    "connectors": {"warehouse"},
    "metrics": {"warehouse"},
    "dashboard": {"metrics", "connectors", "warehouse"},
    "pages": {"dashboard", "metrics"},
    "demo": {"warehouse.vocabulary"},
}
PAGES_MAY = {"streamlit"}
MODULE_CEILING, FUNCTION_CEILING = 400, 50


def modules(room: str) -> list[Path]:
    return [file for file in sorted((ROOT / room).rglob("*.py")) if "versions" not in file.parts]


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            if node.module in ROOMS:
                yield from (f"{node.module}.{name.name}" for name in node.names)
            elif node.module:
                yield node.module


def test_the_table_is_that_of_the_page() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)/` \|[^|]*\| ([^|]+) \|$", page, re.MULTILINE)
    assert {room for room, _ in rows} == set(ROOMS)
    for room, allowed in rows:
        words = set(re.findall(r"[a-z]+(?:\.[a-z]+)?", allowed)) - {"nothing", "of", "ours", "only"}
        assert words == TABLE[room], room


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_the_table_allows(room: str) -> None:
    allowed = {room, *TABLE[room]}
    for file in modules(room):
        for name in imports(file):
            if name.split(".")[0] in ROOMS:
                assert any(name == other or name.startswith(f"{other}.") for other in allowed), f"{file}: {name}"


def test_pages_import_nothing_but_screens_and_metrics() -> None:
    for file in modules("pages"):
        for name in imports(file):
            top = name.split(".")[0]
            assert top in {"pages", *TABLE["pages"], *PAGES_MAY} or top in sys.stdlib_module_names, f"{file}: {name}"


@pytest.mark.parametrize("room", ["warehouse", "connectors", "metrics", "demo"])
def test_only_screens_import_streamlit(room: str) -> None:
    assert not [file for file in modules(room) if any(name.split(".")[0] == "streamlit" for name in imports(file))]


@pytest.mark.parametrize("room", ROOMS)
def test_modules_and_functions_stay_small(room: str) -> None:
    for file in modules(room):
        text = file.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= MODULE_CEILING, file
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                assert node.end_lineno - node.lineno < FUNCTION_CEILING, f"{file}: {node.name}"


def test_the_median_module_is_short() -> None:
    sizes = [len(file.read_text(encoding="utf-8").splitlines()) for room in ROOMS for file in modules(room)]
    assert statistics.median(sizes) <= 160
