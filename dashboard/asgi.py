"""The web application: Streamlit's pages, `/healthz` (alive), `/readyz` (can answer), and what is pushed to us."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path

import streamlit as st
from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from connectors.push import PushDoor
from dashboard.frame import ROUTE as FRAME
from dashboard.frame import PageFrame
from dashboard.push import push_routes
from warehouse.errors import IocError

logger = logging.getLogger(__name__)


async def healthz(request: Request) -> JSONResponse:
    """Answer that the process is alive; touches nothing else."""
    del request
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> JSONResponse:
    """Answer 200 when the warehouse answers, 503 with the reason when it does not."""
    del request
    try:
        version = await to_thread.run_sync(_version)
    except (IocError, SQLAlchemyError) as error:
        logger.warning("not ready: %s", error)
        return JSONResponse({"status": "unavailable", "reason": "the warehouse does not answer"}, status_code=503)
    return JSONResponse({"status": "ok", "data_version": version})


def _version() -> int:
    from dashboard import resources  # noqa: PLC0415 - streamlit caches must not be touched before the runtime is up
    from warehouse.engine import data_version  # noqa: PLC0415

    with resources.engine().connect() as connection:
        return data_version(connection)


@cache
def _push_door() -> PushDoor | None:
    """The one door of this process; None where no source is pushed to us. An error is not kept: it may pass."""
    from dashboard import resources  # noqa: PLC0415 - as above

    settings = resources.settings()
    if not any(source.pushed for source in settings.sources):
        return None
    return PushDoor(resources.engine(), settings)


def log_script_error(error: Exception) -> bool:
    """Log an error of a page with its traceback and show the reader a sentence instead."""
    from dashboard.shell import trouble  # noqa: PLC0415
    from dashboard.texts import _  # noqa: PLC0415

    logger.error("a page failed", exc_info=error)
    trouble(_("This page could not be drawn"), _("The error is in the log of the web process. Other pages still work."))
    return True


app = st.App(
    Path(__file__).parent / "app.py",
    routes=[Route("/healthz", healthz), Route("/readyz", readyz), FRAME, *push_routes(_push_door)],
    middleware=[Middleware(PageFrame)],
    on_script_error=log_script_error,
)
