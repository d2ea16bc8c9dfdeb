"""Selections that live in the URL, as codes: the URL alone brings a view back, in any language.

Streamlit's own binding writes the words of an option into the URL, which change with the language; here it is the code.
A widget takes what `in_url` (one code) or `in_url_list` (several) returns. It follows the URL when a link, the back
button or a first visit changed it, and writes the URL when the reader changed the widget; a selection that is the
default is left out. The value to work with is always `selected` or `selected_list`: what a widget itself returns may
lag behind by a run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

import streamlit as st

from dashboard.texts import LANGUAGE_KEY, current_language

_SEEN = "_url_"
_COMMA, _SIGN = ",", "%"


def selected(name: str, default: str, options: Collection[str] | None = None) -> str:
    """Return the selection `name` of the URL; the default where it has none, or one that is not among `options`."""
    asked = st.query_params.get(name)
    return asked if asked and (options is None or asked in options) else default


def in_url(
    name: str,
    default: str,
    options: Collection[str] | None = None,
    *,
    place: str = "",
    meant: Callable[[str], str] = str,
) -> dict[str, Any]:
    """Return the widget arguments (key, on_change, args) of a selection named `name` in the URL.

    A value of the URL that is not among `options` counts as the default; without `options` every text is accepted.
    The key changes with the language: a browser sends the words of an option, and those of another language would not
    be understood. Several widgets of one selection need a `place` each; `meant` returns the code of what was typed.
    """
    key = _key(name, place)
    if _is_news(name, key):
        st.session_state[key] = selected(name, default, options)
    return {"key": key, "on_change": _write, "args": (name, key, default, meant)}


def selected_list(name: str, options: Collection[str] | None = None) -> tuple[str, ...]:
    """Return the codes of a selection of several in the URL, each once, without those that are not among `options`."""
    return tuple(code for code in _asked_list(name) if options is None or code in options)


def unknown(name: str, options: Collection[str]) -> tuple[str, ...]:
    """Return the codes that the URL names in a selection of several and that are not among `options`."""
    return tuple(code for code in _asked_list(name) if code not in options)


def in_url_list(name: str, options: Collection[str], *, place: str = "") -> dict[str, Any]:
    """Return the widget arguments of a selection of several codes; in the URL they stand with commas between."""
    key = _key(name, place)
    if _is_news(name, key):
        st.session_state[key] = list(selected_list(name, options))
    return {"key": key, "on_change": _write_list, "args": (name, key)}


def put(name: str, value: str) -> None:
    """Write a selection into the URL; the empty text removes it. Widgets of it follow in the next run."""
    if value:
        st.query_params[name] = value
    else:
        st.query_params.pop(name, None)


def joined(codes: Iterable[str]) -> str:
    """Return the text of several codes in the URL."""
    return _COMMA.join(code.replace(_SIGN, "%25").replace(_COMMA, "%2C") for code in codes)


def _asked_list(name: str) -> tuple[str, ...]:
    parts = (st.query_params.get(name) or "").split(_COMMA)
    return tuple(dict.fromkeys(part.replace("%2C", _COMMA).replace("%25", _SIGN) for part in parts if part))


def _key(name: str, place: str) -> str:
    if name == LANGUAGE_KEY:
        return name
    return "-".join(part for part in (name, place, current_language()) if part)


def _is_news(name: str, key: str) -> bool:
    """Whether a widget is new or the URL was changed by something else than the widget."""
    asked = st.query_params.get(name)
    if key in st.session_state and st.session_state.get(_SEEN + key) == asked:
        return False
    st.session_state[_SEEN + key] = asked
    return True


def _write(name: str, key: str, default: str, meant: Callable[[str], str]) -> None:
    value = st.session_state[key]
    code = default if value is None else meant(str(value))
    if code != value:
        st.session_state[key] = code
    put(name, "" if code == default else code)
    st.session_state[_SEEN + key] = st.query_params.get(name)


def _write_list(name: str, key: str) -> None:
    put(name, joined(st.session_state[key]))
    st.session_state[_SEEN + key] = st.query_params.get(name)
