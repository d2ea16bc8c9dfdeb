"""Settings: what is accepted, what is refused, and how clearly."""

from __future__ import annotations

import contextlib
import os
import re
from datetime import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.document import settings_page
from warehouse.errors import ConfigurationError
from warehouse.settings import Settings, load_settings, unknown_variables
from warehouse.sources import RestSettings

ROOT = Path(__file__).resolve().parents[2]

GOOD = """
timezone = "Asia/Ho_Chi_Minh"

[web]
port = 8600

[[sources]]
name = "mot-cua"
entity = "dossier"
mapping = "dvcqg"
reader = { kind = "rest", url = "http://127.0.0.1:8701/api/dossiers" }

[[sources]]
name = "mot-cua"
entity = "survey_answer"
mapping = "own.toml"
reader = { kind = "file", path = "inbox/*.csv" }
"""


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("IOC_") and name != "IOC_SHARED":
            monkeypatch.delenv(name)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "ioc.toml"


def refusal(config: Path, text: str) -> str:
    config.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(config)
    return str(caught.value)


def test_a_good_file(config: Path) -> None:
    config.write_text(GOOD, encoding="utf-8")
    settings = load_settings(config)
    assert settings.web.port == 8600
    assert settings.zone.key == "Asia/Ho_Chi_Minh"
    assert isinstance(settings.sources[0].reader, RestSettings)
    assert settings.sources[1].mapping == str(config.parent / "own.toml")
    assert settings.database.data_dir == config.parent / "var/postgres"


def test_a_file_with_a_byte_order_mark(config: Path) -> None:
    config.write_text(GOOD, encoding="utf-8-sig")
    assert load_settings(config).web.port == 8600


def test_an_empty_file_gives_the_defaults(config: Path) -> None:
    config.touch()
    assert load_settings(config).web.port == 8501


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prot = 1", ["prot: no such setting"]),
        ("[web]\nprot = 1", ["web.prot: no such setting"]),
        ('[web]\nport = "many"', ["web.port", "'many'"]),
        ("[web]\nport = 99999", ["web.port", "65535"]),
        ("web = 5", ["web"]),
        ("database = 5", ["database"]),
        ("sources = 5", ["sources"]),
        ('sources = ["x"]', ["sources.0"]),
        ('timezone = "Saigon"', ["timezone", "Saigon", "Asia/Ho_Chi_Minh"]),
        ('[display]\nlanguage = "fr"', ["display.language", "'fr'"]),
        ('[office]\nhours = [["11:30", "07:00"]]', ["office.hours", "backwards"]),
        ('[office]\nhours = [["07:00", "12:00"], ["11:00", "17:00"]]', ["office.hours", "overlap"]),
        ("[office]\nhours = []", ["office.hours", "empty"]),
        ("[units]\ncatalogue = '2025'", ["units.catalogue", "from-2025-07"]),
        (GOOD.replace("survey_answer", "dossier"), ["named twice", "mot-cua"]),
        (GOOD.replace('"mot-cua"', '"Một cửa"', 1), ["sources.0.name"]),
        (GOOD.replace('kind = "rest"', 'kind = "soap"'), ["sources.0.reader", "soap"]),
        ("[web\nport = 1", ["not valid TOML", "line 1"]),
        ("a = 1\na = 2", ["not valid TOML"]),
    ],
)
def test_a_wrong_file_is_refused_by_name(config: Path, text: str, words: list[str]) -> None:
    message = refusal(config, text)
    assert message.startswith(str(config))
    for word in words:
        assert word in message


def test_every_wrong_field_is_named_at_once(config: Path) -> None:
    message = refusal(config, '[web]\nport = 0\nhots = "x"\n[display]\nlanguage = "fr"')
    assert "3 setting(s) wrong" in message
    for name in ("web.port", "web.hots", "display.language"):
        assert name in message


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such settings file"):
        load_settings(tmp_path / "absent.toml")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings(tmp_path)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        load_settings(binary)


@given(junk=st.binary(max_size=200))
def test_junk_is_refused_or_read_and_never_crashes(tmp_path_factory: pytest.TempPathFactory, junk: bytes) -> None:
    file = tmp_path_factory.mktemp("junk") / "ioc.toml"
    file.write_bytes(junk)
    with contextlib.suppress(ConfigurationError):
        load_settings(file)


def test_the_environment_overrides_the_file(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text(GOOD, encoding="utf-8")
    monkeypatch.setenv("IOC_WEB__PORT", "8700")
    monkeypatch.setenv("IOC_WEB__HOST", "")
    monkeypatch.setenv("IOC_OFFICE__HOURS", '[["08:00", "12:00"]]')
    settings = load_settings(config)
    assert settings.web.port == 8700
    assert settings.web.host == "127.0.0.1"
    assert settings.office.hours == ((time(8), time(12)),)


def test_the_environment_is_checked_too(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IOC_WEB__PROT", "8700")
    assert "web.prot: no such setting" in refusal(config, "")
    monkeypatch.delenv("IOC_WEB__PROT")
    monkeypatch.setenv("IOC_SOURCES", "[not json")
    assert "sources" in refusal(config, "")


def test_variables_that_set_nothing_are_found() -> None:
    environment = dict.fromkeys(
        ("IOC_WEB_PORT", "IOC_WEB__PORT", "IOC_TIMEZONE", "IOC_CONFIG", "IOC_X__Y", "HOME"), "1"
    )
    assert unknown_variables(environment) == ["IOC_WEB_PORT", "IOC_X__Y"]


def test_the_variable_names_the_file(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text(GOOD, encoding="utf-8")
    monkeypatch.setenv("IOC_CONFIG", str(config))
    assert load_settings().web.port == 8600
    monkeypatch.setenv("IOC_CONFIG", "")
    monkeypatch.chdir(config.parent)
    assert load_settings().web.port == 8600


def test_a_secret_in_a_file_that_others_may_read_is_refused(config: Path) -> None:
    config.write_text('[database]\nurl = "postgresql://ioc:geheim@db/ioc"', encoding="utf-8")
    config.chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600") as caught:
        load_settings(config)
    assert "geheim" not in str(caught.value)
    config.chmod(0o600)
    settings = load_settings(config)
    assert "geheim" not in repr(settings)
    assert "geheim" not in settings.model_dump_json()


@pytest.mark.parametrize(
    "text",
    [
        'database = "postgresql://ioc:geheim@db/ioc"',
        '[database]\nurl = ["postgresql://ioc:geheim@db/ioc"]',
        '[database]\nurl = { password = "geheim" }',
    ],
)
def test_no_message_shows_a_secret(config: Path, text: str) -> None:
    config.touch(0o600)
    assert "geheim" not in refusal(config, text)


def test_no_message_shows_a_secret_of_the_environment(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IOC_DATABASE", "postgresql://ioc:geheim@db/ioc")
    assert "geheim" not in refusal(config, "")


def test_variables_in_paths(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '[database]\ndata_dir = "${IOC_TEST_PLACE:-../elsewhere}/db"\n[units]\nfile = "${IOC_TEST_UNITS}"'
    assert "IOC_TEST_UNITS is not set" in refusal(config, text)
    monkeypatch.setenv("IOC_TEST_UNITS", "/data/units.csv")
    settings = load_settings(config)
    assert settings.database.data_dir == config.parent / "../elsewhere/db"
    assert settings.units.file == Path("/data/units.csv")
    monkeypatch.setenv("IOC_TEST_PLACE", "/srv")
    assert load_settings(config).database.data_dir == Path("/srv/db")


def test_settings_cannot_be_changed_later() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().web.port = 1  # type: ignore[misc]


def test_the_page_of_settings_is_current_and_complete() -> None:
    page = settings_page()
    assert (ROOT / "docs/settings.md").read_text(encoding="utf-8") == page, "type `make docs`"
    assert not re.search(r"\|  \|$", page, re.MULTILINE), "a setting has no description"
