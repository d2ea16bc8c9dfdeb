"""Canaries in the place of secrets: a source that echoes them in every way must not get them into anything we write.

The real commands run as real processes, the logins of every kind at once, against answers that are as bad as can be.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine

from tests.conftest import ROOT
from tests.connectors.intake import Call, Intake, Reply, serve
from tests.connectors.support import record
from tests.security.search import everything, seen
from warehouse.settings import load_settings

SECRETS = {
    "CANARY_TOKEN": "tok-4f1c22a9canary", "CANARY_PASSWORD": "pass word/9d2canary", "CANARY_KEY": "key+77ecanary==",
    "CANARY_CLIENT": "client:51bcanary&", "CANARY_PUSH": "đẩy-30acanary", "CANARY_SQL": "sql@33fcanary",
}  # fmt: skip
GIVEN_TOKEN = "given-token-c0ffee-canary"
LOGINS = {
    "bearer": 'kind = "bearer", token = "env:CANARY_TOKEN"',
    "basic": 'kind = "basic", username = "ioc", password = "env:CANARY_PASSWORD"',
    "header": 'kind = "api_key", key = "env:CANARY_KEY"',
    "query": 'kind = "api_key", key = "env:CANARY_KEY", name = "api_key", place = "query"',
    "oauth2": 'kind = "oauth2", token_url = "{origin}/token", client_id = "ioc", client_secret = "env:CANARY_CLIENT"',
    "body": 'kind = "oauth2", token_url = "{origin}/token", client_id = "ioc", client_secret = "env:CANARY_CLIENT",'
    ' placed_in = "body"',
}
BASIC = base64.b64encode(f"ioc:{SECRETS['CANARY_PASSWORD']}".encode()).decode()


def told(call: Call) -> str:
    """Everything that a call carried."""
    return json.dumps([call.headers, call.query, call.body.decode(errors="replace"), list(SECRETS.values())])


def moved(call: Call) -> Reply:
    query = "&".join(f"{name}={value}" for name, value in call.query.items())
    return Reply(status=302, headers={"Location": f"http://elsewhere.invalid/{SECRETS['CANARY_KEY']}?{query}"})


BAD_ANSWERS: dict[str, Callable[[Call], Reply]] = {
    "denied": lambda call: Reply(told(call).encode(), status=401),
    "forbidden": lambda call: Reply(told(call).encode(), status=403, headers={"WWW-Authenticate": 'Bearer "x"'}),
    "broken": lambda call: Reply(told(call).encode(), status=500),
    "busy": lambda call: Reply(told(call).encode(), status=429, headers={"Retry-After": "0"}),
    "page": lambda call: Reply(f"<html>{told(call)}</html>".encode()),
    "error": lambda call: Reply(json.dumps({"error": told(call)}).encode()),
    "cut": lambda call: Reply(told(call).encode(), cut=20),
    "no-json": lambda call: Reply(b'{"data": [' + told(call).encode()[1:-1] + b"NaN"),
    "moved": moved,
}


ALSO: dict[str, tuple[str, ...]] = {
    "bearer": (), "basic": ("error",), "header": (), "oauth2": ("token-denied", "broken"), "body": ("token-denied",),
}  # fmt: skip
"""Answers that a login meets beside the good one and the refusal; the key in the query meets all."""


@dataclass
class World:
    """Settings with a source for every login and every bad answer, and a warehouse."""

    config: Path
    engine: Engine
    variables: dict[str, str]

    def ioc(self, *words: str) -> str:
        """Run a command and return everything that it wrote."""
        command = [sys.executable, "-m", "dashboard.cli", *words, "--config", str(self.config)]
        done = subprocess.run(
            command, env=self.variables, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
        )
        return done.stdout + done.stderr


def source(name: str, url: str, login: str, origin: str) -> str:
    return (
        f'[[sources]]\nname = "{name}"\nmapping = "dvcqg"\ninterval_seconds = 0.5\n[sources.reader]\nkind = "rest"\n'
        f'url = "{url}"\nretries = 1\ntimeout_seconds = 2\npages = {{ kind = "link", next = "next" }}\n'
        f"login = {{ {login.replace('{origin}', origin)} }}\n"
    )


def token_or(answer: Callable[[Call], Reply | None]) -> Callable[[Call], Reply | None]:
    def on_call(call: Call) -> Reply | None:
        if call.path.endswith("/token"):
            return Reply(json.dumps({"access_token": GIVEN_TOKEN, "expires_in": 60, "token_type": "Bearer"}).encode())
        return answer(call)

    return on_call


def good(call: Call) -> Reply:
    """Two pages, the address of the second with the key in it, and records that are refused."""
    if "page" in call.query:
        return Reply(json.dumps({"data": [record(2, DonViXuLy="nowhere")], "next": None}).encode())
    onward = f"?page=2&api_key={SECRETS['CANARY_KEY']}&token={GIVEN_TOKEN}"
    return Reply(json.dumps({"data": [record(1), record(3, NgayTiepNhan="x")], "next": onward}).encode())


def token_denied(call: Call) -> Reply:
    return Reply(told(call).encode(), status=400 if call.path.endswith("/token") else 200)


@pytest.fixture
def world(tmp_path: Path, database_url: URL, warehouse: Engine) -> Iterator[World]:
    """Every login against every answer."""
    parts = ["[database]\n"]
    with ExitStack() as stack:
        answers = {"good": good, **BAD_ANSWERS}
        servers = {name: stack.enter_context(serve(Intake(on_call=token_or(do)))) for name, do in answers.items()}
        servers["token-denied"] = stack.enter_context(serve(Intake(on_call=token_denied)))
        for answer, server in servers.items():
            origin = server.url.rsplit("/api", 1)[0]
            for name, login in LOGINS.items():
                if answer in ALSO.get(name, BAD_ANSWERS) or answer in {"good", "denied"}:
                    parts.append(source(f"{answer}-{name}", server.url, login, origin))
        parts.append(
            '[[sources]]\nname = "sql"\nmapping = "dvcqg"\n[sources.reader]\nkind = "sql"\ntable = "t"\nkey = "ma"\n'
            'url = "postgresql://reader@127.0.0.1:1/x"\npassword = "env:CANARY_SQL"\nupdated = "sua"\n'
        )
        parts.append(
            '[[sources]]\nname = "pushed"\nmapping = "dvcqg-push"\n[sources.reader]\nkind = "push"\nusername = "v"\n'
            'password = "env:CANARY_PUSH"\n'
        )
        config = tmp_path / "ioc.toml"
        config.write_text("\n".join(parts), encoding="utf-8")
        url = database_url.render_as_string(hide_password=False)
        variables = {name: value for name, value in os.environ.items() if not name.startswith("IOC_")}
        yield World(config, warehouse, {**variables, **SECRETS, "IOC_DATABASE__URL": url})


def test_no_secret_is_written_anywhere(world: World, database_url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    database_password = str(database_url.password)
    canaries = [*SECRETS.values(), GIVEN_TOKEN, BASIC, database_password]
    written = {" ".join(words): world.ioc(*words) for words in (("sync",), ("config", "show"))}
    command = [sys.executable, "-m", "dashboard.cli", "worker", "--config", str(world.config)]
    log = world.config.parent / "worker.log"
    with log.open("w") as writes:
        worker = subprocess.Popen(command, env=world.variables, cwd=ROOT, stderr=writes)
    deadline = time.monotonic() + 60
    while log.read_text(encoding="utf-8").count("run failed") < 3 * len(BAD_ANSWERS):
        assert time.monotonic() < deadline, "the worker meets every source"
        time.sleep(0.1)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0
    written["worker"] = log.read_text(encoding="utf-8")
    for words in (("db", "status"), ("quarantine", "export", "-"), ("sync", "--from-start")):
        written[" ".join(words)] = world.ioc(*words)
    for name, value in {**SECRETS, "IOC_DATABASE__URL": world.variables["IOC_DATABASE__URL"]}.items():
        monkeypatch.setenv(name, value)
    settings = load_settings(world.config)
    written |= {"repr": repr(settings), "str": str(settings), "dump": settings.model_dump_json()}
    written |= everything(world.engine)
    assert "good-bearer" in written["sync"]
    assert seen(canaries, written) == []
    failed = written["table public.sync_run"]
    for answer in BAD_ANSWERS:
        assert f"{answer}-query" in failed, "each of them failed and said why"
    assert "good-query" in written["table public.watermark"]
    assert "H29.27-220301-0003" in written["quarantine export -"]


def test_the_search_finds_what_is_there(warehouse: Engine) -> None:
    places = everything(warehouse)
    assert seen(["27001"], places) == ["'27001' in table public.unit"]
    assert seen(["đẩy"], {"json": json.dumps("đẩy"), "hex": "đẩy".encode().hex(), "no": "day"}) == [
        "'đẩy' in json", "'đẩy' in hex",
    ]  # fmt: skip


def test_a_wrong_database_password_is_not_told(world: World) -> None:
    wrong = "wrong-db-password-canary"
    url = world.engine.url.set(password=wrong)
    world.variables["IOC_DATABASE__URL"] = url.render_as_string(hide_password=False)
    written = {word: world.ioc(*word.split()) for word in ("sync", "db status")}
    assert "password authentication failed" in written["sync"]
    assert seen([wrong], written | everything(world.engine)) == []


@pytest.mark.parametrize(
    "place", ['token = "CANARY"', 'token = "env:CANARY_MISSING"', 'token = "file:/nowhere/CANARY"', "token = 5"]
)
def test_a_secret_that_stands_in_the_settings_is_not_repeated(tmp_path: Path, place: str) -> None:
    canary = "in-the-open-9a7canary"
    config = tmp_path / "ioc.toml"
    login = place.replace('"CANARY"', f'"{canary}"')
    config.write_text(
        f'[[sources]]\nname = "a"\nmapping = "dvcqg"\n[sources.reader]\nkind = "rest"\nurl = "http://127.0.0.1:1/"\n'
        f'login = {{ kind = "bearer", {login} }}\n',
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "dashboard.cli", "config", "check", "--config", str(config)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "login" in done.stderr
    assert canary not in done.stdout + done.stderr
