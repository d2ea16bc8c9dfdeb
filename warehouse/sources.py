"""Settings of the sources: where the records of an intake system come from, how we log in, and what is checked.

No secret stands in the settings file. Where one is needed, it says where the secret is: `env:NAME` for an environment
variable, `file:PATH` for a file of mode 600.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator, model_validator

from warehouse.addresses import allowed_origins, origin_of
from warehouse.vocabulary import Entity

Seconds = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A table of the TOML file: frozen, and a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_secret(place: Any) -> SecretStr:  # noqa: ANN401 - raw TOML
    """Fetch a secret from where the settings say it is; the messages never show it.

    Raises ValueError for a secret that is not there, too open to others, or written into the settings themselves.
    """
    if isinstance(place, SecretStr):
        return place
    kind, _, name = str(place).partition(":")
    if kind == "env":
        if not (value := os.environ.get(name, "")):
            raise ValueError(f"the environment variable {name} is not set; it holds this secret")
        return SecretStr(value)
    if kind == "file":
        return SecretStr(_secret_of_file(Path(name)))
    raise ValueError('a secret does not stand in the settings; write "env:NAME" or "file:PATH"')


def _secret_of_file(path: Path) -> str:
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ValueError(f"{path} holds a secret and others may read it; chmod 600")
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: this file should hold a secret, but cannot be read: {error}") from None
    if not text:
        raise ValueError(f"{path} is empty; it should hold a secret")
    return text


Secret = Annotated[SecretStr, BeforeValidator(read_secret)]


# --- HTTP -----------------------------------------------------------------------------------------------------


class BearerLogin(Section):
    """A token in the header Authorization."""

    kind: Literal["bearer"] = Field(description="a token in the header Authorization")
    token: Secret = Field(description="where the token is: env:NAME or file:PATH")


class BasicLogin(Section):
    """User name and password with every request."""

    kind: Literal["basic"] = Field(description="user name and password with every request")
    username: str = Field(description="user name")
    password: Secret = Field(description="where the password is: env:NAME or file:PATH")


class ApiKeyLogin(Section):
    """A key in a header or query parameter of its own."""

    kind: Literal["api_key"] = Field(description="a key in a header or query parameter of its own")
    name: str = Field("X-API-Key", description="name of the header or parameter")
    place: Literal["header", "query"] = Field("header", description="where it goes")
    key: Secret = Field(description="where the key is: env:NAME or file:PATH")


class OAuth2Login(Section):
    """OAuth 2.0 client credentials, as with the Keycloak of VNPT iGate."""

    kind: Literal["oauth2"] = Field(description="OAuth 2.0 client credentials (Keycloak and others)")
    token_url: str = Field(description="address of the token endpoint")
    client_id: str = Field(description="name of our client")
    client_secret: Secret = Field(description="where the client's secret is: env:NAME or file:PATH")
    scope: str = Field("", description="scope asked for")
    placed_in: Literal["header", "body"] = Field("header", description="where the client's name and secret go")


class CursorPages(Section):
    """The reply names an opaque cursor for the next page."""

    kind: Literal["cursor"] = Field("cursor", description="the reply names an opaque cursor for the next page")
    next: str = Field("next_cursor", description="path of the cursor in the reply; empty ends the read")
    parameter: str = Field("cursor", description="parameter that carries the cursor")
    size_parameter: str = Field("limit", description="parameter that carries the page size")


class NumberedPages(Section):
    """Pages are asked for by their number."""

    kind: Literal["page"] = Field("page", description="pages are asked for by their number")
    parameter: str = Field("page", description="parameter that carries the number")
    first: int = Field(1, ge=0, le=1, description="number of the first page")
    size_parameter: str = Field("pageSize", description="parameter that carries the page size")
    total: str = Field("", description="path of the number of all records in the reply; none: not told")


class OffsetPages(Section):
    """Pages are asked for by the number of records before them."""

    kind: Literal["offset"] = Field("offset", description="pages are asked for by the number of records before them")
    parameter: str = Field("offset", description="parameter that carries the number")
    size_parameter: str = Field("limit", description="parameter that carries the page size")
    total: str = Field("", description="path of the number of all records in the reply; none: not told")


class LinkedPages(Section):
    """The reply holds the address of the next page."""

    kind: Literal["link"] = Field("link", description="the reply holds the address of the next page")
    next: str = Field("", description="path of that address in the reply; none: the header Link with rel=next")
    size_parameter: str = Field("limit", description="parameter of the first page that carries the page size")
    total: str = Field("", description="path of the number of all records in the reply; none: not told")
    again: bool = Field(
        True,
        description="each page is read again after the next: nothing is lost when the list moves meanwhile;"
        " false: the addresses keep their place (keyset)",
    )


class UpdatedSince(Section):
    """The source can be asked for what changed since an instant."""

    parameter: str = Field("updated_since", description="parameter that carries the instant")
    until_parameter: str = Field("", description="parameter that carries the upper bound; none: the source has none")
    format: Literal["iso", "yyyyMMddHHmmss", "epoch"] = Field(
        "iso", description="how instants are written; yyyyMMddHHmmss by the mapping's clock"
    )
    overlap_seconds: float = Field(300, ge=0, description="asked again before the last instant: late arrivals")


class RestSettings(Section):
    """A source that answers JSON pages over HTTP."""

    kind: Literal["rest"] = Field(description="JSON pages over HTTP")
    url: str = Field(description="address of the list, without page or cursor")
    method: Literal["GET", "POST"] = Field("GET", description="HTTP method of the list")
    parameters: dict[str, str | int | bool] = Field(default_factory=dict, description="fixed parameters")
    parameters_in: Literal["query", "body"] = Field("query", description="parameters go into the query or a JSON body")
    records: str = Field("data", description="path of the record list in the reply, dots between names")
    pages: CursorPages | NumberedPages | OffsetPages | LinkedPages = Field(
        CursorPages(), discriminator="kind", description="how the pages follow each other"
    )
    since: UpdatedSince | None = Field(None, description="ask for changes since the last read; none: a cursor tells")
    login: BearerLogin | BasicLogin | ApiKeyLogin | OAuth2Login | None = Field(
        None, discriminator="kind", description="how we log in"
    )
    allowed_hosts: tuple[str, ...] = Field(
        (),
        description="hosts that may be asked, with the login, beside the one of url: host, host:port or https://host",
    )
    page_size: int = Field(1000, ge=1, le=10_000, description="records asked for in one page")
    timeout_seconds: Seconds = Field(20.0, description="a reply that takes longer counts as failed")
    retries: int = Field(3, ge=0, le=10, description="further tries of one page")
    max_page_bytes: int = Field(64 * 2**20, ge=1024, description="a larger page, after unpacking, is refused")
    max_pages: int = Field(100_000, ge=1, description="a list with more pages is refused as endless")

    @model_validator(mode="after")
    def _hosts_are_known(self) -> RestSettings:
        origins = allowed_origins(self.url, self.allowed_hosts)
        if self.login is not None and self.login.kind == "oauth2":
            scheme, host, port = origin_of(self.login.token_url)
            if (scheme, host, port) not in origins:
                raise ValueError(
                    f'token_url is at {scheme}://{host}:{port}; if that is right, write "{host}:{port}" in'
                    " allowed_hosts (a source asked by https gets its token by https)"
                )
        return self

    @model_validator(mode="after")
    def _parts_fit(self) -> RestSettings:
        if self.parameters_in == "body" and self.method == "GET":
            raise ValueError('parameters_in = "body" needs method = "POST"')
        if isinstance(self.pages, CursorPages) and self.since is not None:
            raise ValueError("a cursor tells what comes next; since is for page, offset and link")
        return self


# --- SQL ------------------------------------------------------------------------------------------------------


SQL_DRIVERS = {
    "postgresql": "postgresql+psycopg2", "mysql": "mysql+pymysql", "mariadb": "mariadb+pymysql",
    "sqlite": "sqlite+pysqlite",
}  # fmt: skip
"""Databases that can be read, and the driver that reads each."""


class SqlSettings(Section):
    """A source that is a table or view of a database that we may only read."""

    kind: Literal["sql"] = Field(description="a table or view of a read replica")
    url: str = Field(description="SQLAlchemy URL without password, for example postgresql://reader@host/name")
    password: Secret | None = Field(None, description="where the password is: env:NAME or file:PATH")
    table: str = Field(description="name of the table or view")
    schema_name: str | None = Field(None, description="schema of the table or view")
    updated: str = Field(description="column with the instant of the last change; indexed together with key")
    key: str = Field(description="column with the natural key")
    overlap_seconds: float = Field(300, ge=0, description="read again before the last instant: late commits")
    statement_timeout_seconds: Seconds = Field(60.0, description="a statement that takes longer is given up")

    @field_validator("url")
    @classmethod
    def _can_be_read(cls, value: str) -> str:
        scheme = value.partition(":")[0]
        if scheme not in {*SQL_DRIVERS, *SQL_DRIVERS.values()}:
            raise ValueError(
                f"not an address that can be read; there are {', '.join(SQL_DRIVERS)}, as in sqlite:///FILE"
            )
        return value

    @field_validator("url")
    @classmethod
    def _holds_no_password(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.password or any("pass" in name.lower() for name in parse_qs(parts.query)):
            raise ValueError("the URL holds a password; take it out and say where it is in password")
        return value


# --- files ----------------------------------------------------------------------------------------------------


class FileSettings(Section):
    """A source that is a file or a folder of files: CSV, Excel, JSON or Parquet, also packed in zip or gzip."""

    kind: Literal["file"] = Field(description="CSV, Excel, JSON or Parquet files")
    path: tuple[Path, ...] = Field(
        min_length=1, description="files, folders or patterns such as inbox/*.csv; read in the order of their names"
    )
    encoding: str = Field("auto", description="encoding of CSV and JSON files; auto: found from the text")
    delimiter: str = Field("auto", description="sign between the cells of CSV files; auto: found from the header")
    sheet: str = Field("", description="sheet of Excel files; none: the one with the mapping's columns; *: all such")
    header_row: int = Field(0, ge=0, description="row of the column names; 0: found by the mapping's columns")
    records: str = Field("", description="path of the record list in JSON files; none: the list itself, or a line each")
    settle_seconds: float = Field(2.0, ge=0, description="a file that changed less long ago is still being written")

    @field_validator("path", mode="before")
    @classmethod
    def _one_path_is_a_list(cls, value: Any) -> Any:  # noqa: ANN401 - raw TOML
        return (value,) if isinstance(value, str | Path) else value


# --- push -----------------------------------------------------------------------------------------------------


class PushSettings(Section):
    """A one-stop system that sends its records to us, by the calls that it makes to the national portal."""

    kind: Literal["push"] = Field(description="the one-stop system sends DongBoHoSoMC and CapNhatTienDoHoSoMC calls")
    username: str = Field(min_length=1, description="user name that the system logs in with")
    password: Secret = Field(description="where its password is: env:NAME or file:PATH")
    madonvi: str = Field("", description="agency code (madonvi, MaDinhDanhDV) that its calls carry; none: any")
    ok_code: Literal["auto", "0", "00"] = Field(
        "auto", description="error_code that means stored; auto: 00 where the body names the service, else 0"
    )
    session_seconds: Seconds = Field(1800.0, description="a login is good for this long")
    max_body_bytes: int = Field(16 * 2**20, ge=1024, description="a larger call is refused")


class SweepSettings(Section):
    """The nightly comparison of all keys with the source."""

    at: time = Field(time(1, 30), description="civil time of the day")
    limit: float = Field(0.05, ge=0, le=1, description="a larger share of missing records fails the sweep")


class SourceSettings(Section):
    """One stream of one entity from one intake system."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$", description="short name; part of every dossier's key")
    entity: Entity = Field(Entity.DOSSIER, description="what its records are")
    reader: RestSettings | SqlSettings | FileSettings | PushSettings = Field(discriminator="kind")
    mapping: str = Field(description="name of a preset (dvcqg, ...) or path of a mapping file")
    interval_seconds: Seconds = Field(60.0, description="the worker reads it this often")
    max_age_seconds: Seconds = Field(900.0, description="older data is shown amber, twice as old red")
    batch_rows: int = Field(20_000, ge=1, le=200_000, description="records in one transaction")
    budget_seconds: Seconds = Field(3600.0, description="a run that takes longer stops; the next goes on from there")
    refuse_above: float = Field(
        1.0, ge=0, le=1, description="a larger share of quarantined records fails the run, the watermark stays"
    )
    breaker_failures: int = Field(5, ge=1, description="failed runs in a row after which the source is left alone")
    breaker_pause_seconds: Seconds = Field(15.0, description="then one run in this time tries whether it is back")
    sweep: SweepSettings | None = Field(None, description="nightly comparison of all keys; none: no such comparison")
    checks: dict[str, Literal["quarantine", "flag", "off"]] = Field(
        default_factory=dict, description="what a named check does here, where not its default"
    )

    @model_validator(mode="after")
    def _can_be_swept(self) -> SourceSettings:
        if self.sweep is not None and self.no_sweep is not None:
            raise ValueError(f"sweep: {self.no_sweep}; take [sources.sweep] out")
        return self

    @property
    def no_sweep(self) -> str | None:
        """Why its keys cannot be compared with those stored here; None where they can."""
        if self.pushed:
            return "its records are sent to us (kind = push): there is no list of them to compare with"
        if self.entity in {Entity.UNIT, Entity.PROCEDURE}:
            return f"several sources may fill the catalogue of {self.entity}s: none can say what is missing there"
        return None

    @property
    def pushed(self) -> bool:
        """Whether its records are sent to us, so that there is nothing to read."""
        return isinstance(self.reader, PushSettings)

    @property
    def max_age(self) -> timedelta:
        """Age from which data of this source counts as stale."""
        return timedelta(seconds=self.max_age_seconds)


PUSHED = {Entity.DOSSIER: "dossiers", Entity.REFERENCE_DOSSIER: "dossiers", Entity.DOSSIER_STEP: "steps"}
"""What the calls of a one-stop system bring, by entity: one call for dossiers, one for their steps."""


def check_pushed(sources: Iterable[SourceSettings]) -> None:
    """Raise ValueError for pushed sources that no call brings, or between which a call could not choose."""
    passwords: dict[str, SecretStr] = {}
    takers: dict[tuple[str, str, str], SourceSettings] = {}
    for source in sources:
        reader = source.reader
        if not isinstance(reader, PushSettings):
            continue
        if source.entity not in PUSHED:
            raise ValueError(
                f"source {source.name}: no call brings {source.entity}; kind = push brings dossiers, steps"
            )
        if passwords.setdefault(reader.username, reader.password) != reader.password:
            raise ValueError(f"the push account {reader.username} has two passwords; give it one")
        call = (reader.username, reader.madonvi.strip().casefold(), PUSHED[source.entity])
        if (other := takers.setdefault(call, source)) is not source:
            raise ValueError(
                f"sources {other.name} and {source.name} would take the same calls of the push account"
                f" {reader.username}; give each its madonvi, or an account of its own"
            )
