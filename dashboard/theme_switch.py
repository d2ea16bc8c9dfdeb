"""The switch between light, dark and what the computer has: links to the same page, so that the theme is in the URL.

Streamlit reads its theme from the address when a page is loaded (`embed_options=dark_theme`); it offers no way to
change the theme of a page that is already drawn. dashboard/static/frame.js keeps the rest of the address, marks the
link that holds, and remembers what was chosen.
"""

from __future__ import annotations

from html import escape

import streamlit as st

from dashboard.texts import _, later

THEMES = (
    ("?embed_options=light_theme", "ioc-light", later("Light theme")),
    ("?embed_options=dark_theme", "ioc-dark", later("Dark theme")),
    ("?", "ioc-system", later("Theme of this computer")),
)
"""Address, class of the sign, words."""


def theme_switch() -> None:
    """Draw the three links."""
    links = []
    for address, sign, title in THEMES:
        words = escape(_(title))
        links.append(f'<a href="{address}" title="{words}" aria-label="{words}"><i class="{sign}"></i></a>')
    words = escape(_("Theme"))
    st.html(f'<div class="ioc-themes" role="group" aria-label="{words}">{"".join(links)}</div>', width="content")
