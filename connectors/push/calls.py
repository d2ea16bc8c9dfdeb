"""Reading a call: which service, for which agency, who says so, and the records.

Senders differ. One names the service in the body, beside session, madonvi and data; another sends the bare list of
records to an address that names service and agency. `data` may be a list, one record, or either as a JSON text. Each of
these is read; `isUpdating` is not, because a record is stored the same way whether it is new or not.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic_core import from_json

from connectors.push.replies import NOT_UNDERSTOOD, RefusedCallError


class Service(StrEnum):
    """What can be asked here, by the portal's names."""

    LOGIN = "login"
    DOSSIERS = "DongBoHoSoMC"
    STEPS = "CapNhatTienDoHoSoMC"
    LOOK_UP = "TraCuuHoSo"
    AGENCIES = "LayDanhMucCoQuan"


_SERVICES = {service.casefold(): service for service in Service}


@dataclass(frozen=True, slots=True)
class Sent:
    """A call as it came over the wire; header names and query names in small letters."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    address: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it was understood; `named` tells that the body named the service."""

    service: Service
    agency: str
    session: str | None = field(repr=False)
    named: bool
    envelope: Mapping[str, Any] = field(repr=False)
    records: tuple[dict[str, Any], ...] = field(repr=False)


def read_call(sent: Sent) -> Call:
    """Understand a call.

    Raises RefusedCallError that says what is wrong with its form, never what it holds.
    """
    body = _json(sent.body, "nội dung")
    envelope = _envelope(body)
    service, named = _service(sent, envelope)
    agency = str(_first(envelope, sent.query, "madonvi", "madinhdanhdv") or "").strip()
    session = envelope.get("session")
    records = _records(body, envelope) if service in {Service.DOSSIERS, Service.STEPS} else ()
    return Call(service, agency, session if isinstance(session, str) else None, named, envelope, records)


def basic_login(sent: Sent) -> tuple[str, str] | None:
    """Return user name and password of the header Authorization, where it holds them."""
    kind, _, coded = sent.headers.get("authorization", "").partition(" ")
    if kind.casefold() != "basic":
        return None
    try:
        username, mark, password = base64.b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (username, password) if mark else ("", "")


def header_session(sent: Sent) -> str | None:
    """Return the session that a header holds."""
    kind, _, token = sent.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.casefold() == "bearer" else sent.headers.get("session")


def _json(body: bytes | str, what: str) -> Any:  # noqa: ANN401 - a value of JSON
    """Parse JSON by the parser that bounds depth and refuses NaN; half characters only the usual one takes."""
    try:
        text = body.decode("utf-8-sig") if isinstance(body, bytes) else body
    except UnicodeDecodeError:
        raise _not_understood(f"{what} không phải JSON dạng UTF-8") from None
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError as error:
        if "hex escape" not in str(error):
            raise _not_understood(f"{what} không phải JSON hợp lệ") from None
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise _not_understood(f"{what} không phải JSON hợp lệ") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _not_understood(message: str, status: int = 400) -> RefusedCallError:
    return RefusedCallError(NOT_UNDERSTOOD, f"Không đọc được lời gọi: {message}", status)


def _envelope(body: Any) -> dict[str, Any]:  # noqa: ANN401 - a value of JSON
    return {name.casefold(): value for name, value in body.items()} if isinstance(body, dict) else {}


def _first(envelope: Mapping[str, Any], query: Mapping[str, str], *names: str) -> Any:  # noqa: ANN401
    found = (place[name] for place in (envelope, query) for name in names if place.get(name) not in (None, ""))
    return next(found, None)


def _service(sent: Sent, envelope: Mapping[str, Any]) -> tuple[Service, bool]:
    """Find the service: in the body, the query, or the last part of the address; a login also by its form."""
    named = envelope.get("service")
    asked = named or sent.query.get("service")
    if asked is None and {"username", "password"} <= set(envelope):
        return Service.LOGIN, False
    if asked is None:
        asked = sent.path.rstrip("/").rpartition("/")[2]
    service = _SERVICES.get(str(asked).strip().casefold())
    if service is None:
        raise _not_understood(f"không có dịch vụ này; có {', '.join(list(Service)[1:])}", 200)
    return service, bool(named)


def _records(body: Any, envelope: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:  # noqa: ANN401
    data = body
    if isinstance(body, dict) and ("data" in envelope or "mahoso" not in envelope):
        data = envelope.get("data")
    if isinstance(data, str) and data.strip():
        data = _json(data, "data")
    if isinstance(data, dict):
        data = [data]
    if not isinstance(data, list) or not all(isinstance(record, dict) for record in data):
        raise _not_understood("data phải là danh sách các bản ghi", 200)
    return tuple(data)


__all__ = ["Call", "Sent", "Service", "basic_login", "header_session", "read_call"]
