"""Style sheets that only some pages need; dashboard/app.py has the one of all pages."""

from pathlib import Path

LISTS = Path(__file__).parent / "static" / "lists.css"
