"""The script of every page: language, navigation, one draw, and the designed states when something is missing."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st

from dashboard import resources
from dashboard.draw import drawing
from dashboard.navigation import carry, menu
from dashboard.shell import trouble
from dashboard.texts import _
from dashboard.theme import css_variables
from warehouse.errors import ConfigurationError, TransientError

STYLE = Path(__file__).parent / "static" / "app.css"
ICON = Path(__file__).parent / "static" / "icon.png"  # a Material sign here would be fetched from the internet


def main() -> None:
    """Run the page that the URL names."""
    st.set_page_config(layout="wide", page_icon=str(ICON), initial_sidebar_state="collapsed")
    st.html(_style())
    page = st.navigation(menu(), position="top")
    carry(page.url_path)
    try:
        with drawing():
            page.run()
    except TransientError:
        trouble(
            _("The data warehouse does not answer"),
            _("The figures cannot be drawn now. The page tries again by itself; if it lasts, call the operator."),
        )
        _try_again()
    except ConfigurationError as error:
        trouble(_("The settings are wrong"), str(error))


@cache
def _style() -> str:
    return f"<style>{css_variables()}{STYLE.read_text(encoding='utf-8')}</style>"


@st.fragment(run_every=5)
def _try_again() -> None:
    if resources.pulse().reachable:
        st.rerun()


main()
