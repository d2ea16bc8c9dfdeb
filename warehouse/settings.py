"""Settings: one TOML file, overridden by environment variables `IOC_*`; unknown keys are errors.

The file is named by `--config`, else by the variable IOC_CONFIG, else `ioc.toml` in the working directory. Relative
paths in the file are relative to the file, those of the environment to the working directory. A nested key is
overridden by joining the names with two underscores: `IOC_WEB__PORT=8600`. Secrets come from the environment or from a
file of mode 600, never from the TOML file.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from datetime import time
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from warehouse.errors import ConfigurationError
from warehouse.online_terms import OnlineTerms
from warehouse.sources import Seconds, Section, SourceSettings, check_pushed
from warehouse.vocabulary import Language

SceneName = Literal["summary", "overdue", "course", "ranking", "channels", "satisfaction"]


class DatabaseSettings(Section):
    """Where the warehouse is kept: an own PostgreSQL by URL, or the embedded one in `data_dir`."""

    url: SecretStr | None = Field(
        None, description="postgresql URL; leave it out to use the embedded server; set it by IOC_DATABASE__URL"
    )
    data_dir: Path = Field(Path("var/postgres"), description="data folder of the embedded PostgreSQL")


class WebSettings(Section):
    """Where the web application listens."""

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8501, ge=1, le=65535, description="port to listen on")


class DisplaySettings(Section):
    """What the screens say and how they start."""

    title: str = Field("Trung tâm điều hành thông minh", description="name of the centre, in the header")
    area: str = Field("", description="name of the district or province, in the header")
    language: Language = Field("vi", description="language of a first visit: vi or en")
    root_unit: str | None = Field(None, description="code of the unit whose area the screens show; none: everything")
    own_unit: str | None = Field(
        None, description="code of the unit that the ranking pins and the unit page opens with"
    )
    default_period: str = Field("month-to-date", description="period of a first visit, a preset or text such as 2022")
    online_terms: OnlineTerms = Field(
        "new", description="words for online levels: new (một phần, toàn trình), old (mức độ 3, 4) or both"
    )
    refresh_seconds: Seconds = Field(2.0, description="how often an open page looks for a new data version")
    map_schematic: bool = Field(True, description="draw a labelled schematic where no boundaries are loaded")
    gallery: bool = Field(False, description="for developers: show every component in each state at /thu-vien-mau")


class WallSettings(Section):
    """What the wall shows, one scene after the other."""

    scenes: tuple[SceneName, ...] = Field(get_args(SceneName), min_length=1, description="scenes in their order")
    dwell_seconds: float = Field(20.0, ge=2, le=3600, description="how long each scene stays")


def _in_order(value: tuple[tuple[time, time], ...]) -> tuple[tuple[time, time], ...]:
    edges = [edge for span in value for edge in span]
    if not edges or any(later <= earlier for earlier, later in pairwise(edges)):
        raise ValueError('opening hours are empty, overlap or run backwards; write [["07:00", "11:30"], ...]')
    return value


Hours = Annotated[tuple[tuple[time, time], ...], AfterValidator(_in_order)]


class OwnHours(Section):
    """Units that keep other hours than the rest."""

    units: tuple[str, ...] = Field(min_length=1, description="codes of the units")
    hours: Hours = Field(description="opening hours of a working day there")


class OfficeSettings(Section):
    """The working day, for deadlines counted in working hours."""

    hours: Hours = Field(
        ((time(7), time(11, 30)), (time(13, 30), time(17))), description="opening hours of a working day"
    )
    holidays_file: Path | None = Field(None, description="CSV date,working,name that overrides the holiday table")
    stale_working_days: int = Field(5, ge=1, description="an open dossier unchanged for longer is stale")
    not_returned_days: int = Field(3, ge=0, description="a result not handed over for longer is left lying")
    own_hours: tuple[OwnHours, ...] = ()

    @field_validator("own_hours")
    @classmethod
    def _each_unit_once(cls, value: tuple[OwnHours, ...]) -> tuple[OwnHours, ...]:
        codes = [code for entry in value for code in entry.units]
        if twice := sorted({code for code in codes if codes.count(code) > 1}):
            raise ValueError(f"units named twice: {', '.join(twice)}; a unit keeps one set of hours")
        return value


class UnitsSettings(Section):
    """Where the units come from: the catalogue packages or a CSV file."""

    file: Path | None = Field(None, description="CSV code,name,kind,parent,valid_from,valid_to,lat,lon,population")
    catalogue: Literal["none", "before-2025-07", "from-2025-07", "both"] = Field(
        "none", description="official unit lists to load"
    )
    under: tuple[str, ...] = Field((), description="load only these provinces or districts of the catalogue")


class Settings(BaseSettings):
    """Everything an operator can set."""

    model_config = SettingsConfigDict(
        env_prefix="IOC_", env_nested_delimiter="__", extra="forbid", frozen=True, env_ignore_empty=True
    )

    timezone: str = Field("Asia/Ho_Chi_Minh", description="civil clock of the offices, an IANA name")
    database: DatabaseSettings = DatabaseSettings()
    web: WebSettings = WebSettings()
    display: DisplaySettings = DisplaySettings()
    wall: WallSettings = WallSettings()
    office: OfficeSettings = OfficeSettings()
    units: UnitsSettings = UnitsSettings()
    sources: tuple[SourceSettings, ...] = ()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{value!r} is not an IANA time zone; write for example Asia/Ho_Chi_Minh") from error
        return value

    @model_validator(mode="after")
    def _distinct_streams(self) -> Settings:
        keys = [(source.name, source.entity) for source in self.sources]
        twice = {f"{name} ({entity})" for name, entity in keys if keys.count((name, entity)) > 1}
        if twice:
            raise ValueError(f"sources named twice: {', '.join(sorted(twice))}; give each its own name")
        check_pushed(self.sources)
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The civil clock as a time zone."""
        return ZoneInfo(self.timezone)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over file over default; the file is read by `load_settings` and handed in."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


CONFIG_VARIABLE = "IOC_CONFIG"
OTHER_VARIABLES = frozenset({CONFIG_VARIABLE, "IOC_SHARED"})
"""Variables of ours that are no settings: where the settings are, and where the tests find reference data."""


def load_settings(path: Path | None = None) -> Settings:
    """Read the settings from `path`, IOC_CONFIG or ./ioc.toml, environment over file.

    Raises ConfigurationError that names the file and every bad field with what is expected there.
    """
    file = path or Path(os.environ.get(CONFIG_VARIABLE) or "ioc.toml")
    tables = _read_toml(file)
    _refuse_secrets(file, tables)
    _anchor_paths(tables, file.resolve().parent)
    try:
        return Settings(**tables)
    except ValidationError as error:
        raise ConfigurationError(_explain(file, error)) from None
    except SettingsError as error:  # a table given as one variable that is not JSON; its text may hold a secret
        raise ConfigurationError(f"environment: {error}; write JSON there, or one variable for each key") from None


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """Return the names in `environment` that look like settings of ours but set nothing."""
    known = {f"IOC_{name}".upper() for name in Settings.model_fields} | OTHER_VARIABLES
    return sorted(
        name for name in environment if name.startswith("IOC_") and name.split("__", maxsplit=1)[0] not in known
    )


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"{file}: no such settings file; name one with --config or {CONFIG_VARIABLE}"
            " (examples/demo/ioc.toml is one to start from)"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: cannot be read as UTF-8 text: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{file}: not valid TOML: {error}") from None


def _refuse_secrets(file: Path, tables: dict[str, Any]) -> None:
    """A database URL holds a password: in the file it is accepted only when nobody else can read the file."""
    database = tables.get("database")
    if isinstance(database, dict) and "url" in database and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(
            f"{file}: database.url holds a password and others may read the file; set IOC_DATABASE__URL, or chmod 600"
        )


_PATHS = (
    ("database", "data_dir"),
    ("office", "holidays_file"),
    ("units", "file"),
)


def _anchor_paths(tables: dict[str, Any], base: Path) -> None:
    """Make relative paths of the file relative to the file, so that the working directory does not matter."""
    database = tables.setdefault("database", {})
    if isinstance(database, dict):
        database.setdefault("data_dir", str(DatabaseSettings().data_dir))
    for section, key in _PATHS:
        table = tables.get(section)
        if isinstance(table, dict) and isinstance(table.get(key), str):
            table[key] = _anchored(table[key], base)
    sources = tables.get("sources")
    for source in sources if isinstance(sources, list) else ():
        if not isinstance(source, dict):
            continue
        reader = source.get("reader")
        if isinstance(reader, dict):
            _anchor_reader(reader, base)
        if isinstance(source.get("mapping"), str) and source["mapping"].endswith(".toml"):
            source["mapping"] = _anchored(source["mapping"], base)


def _anchor_reader(reader: dict[str, Any], base: Path) -> None:
    if "path" in reader:
        paths = [reader["path"]] if isinstance(reader["path"], str) else reader["path"]
        reader["path"] = [_anchored(path, base) if isinstance(path, str) else path for path in paths]
    url = reader.get("url")
    if isinstance(url, str) and url.startswith("sqlite:///"):
        reader["url"] = "sqlite:///" + _anchored(url.removeprefix("sqlite:///"), base)
    login = reader.get("login")
    for table in (reader, login if isinstance(login, dict) else {}):
        for key, value in table.items():
            if isinstance(value, str) and value.startswith("file:"):
                table[key] = "file:" + _anchored(value.removeprefix("file:"), base)


_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z][A-Z0-9_]*)(:-(?P<default>[^}]*))?\}")


def _anchored(path: str, base: Path) -> str:
    """Fill in `${NAME}` and `${NAME:-default}` from the environment, then make the path relative to the file."""

    def fill(match: re.Match[str]) -> str:
        value = os.environ.get(match["name"]) or match["default"]
        if value is None:
            raise ConfigurationError(f"{path}: the environment variable {match['name']} is not set")
        return value

    return str(base / _VARIABLE.sub(fill, path))


def _explain(file: Path, error: ValidationError) -> str:
    lines = [f"{file}: {error.error_count()} setting(s) wrong"]
    for item in error.errors(include_url=False, include_context=False):
        where = ".".join(str(part) for part in item["loc"]) or "(whole file)"
        what = "no such setting" if item["type"] == "extra_forbidden" else item["msg"]
        silent = item["type"] in {"missing", "extra_forbidden"} or _may_hold_a_secret(item["loc"])
        given = "" if silent else f" (given: {item['input']!r})"
        lines.append(f"  {where}: {what}{given if len(given) < 200 else ''}")
    return "\n".join(lines)


_SECRETS = frozenset({"password", "token", "key", "client_secret", "url", "token_url"})


def _may_hold_a_secret(place: tuple[int | str, ...]) -> bool:
    return not place or place[-1] in _SECRETS or (place[0] == "database" and place[-1] != "data_dir")


__all__ = [
    "CONFIG_VARIABLE",
    "OTHER_VARIABLES",
    "DatabaseSettings",
    "DisplaySettings",
    "OfficeSettings",
    "Settings",
    "UnitsSettings",
    "WallSettings",
    "WebSettings",
    "load_settings",
    "unknown_variables",
]
