"""The door: lets a sender in, does what the call asks, and answers.

"Thành công" is said only after the transaction of the rows was committed. Whatever goes wrong before that is an error
in the sender's eyes, who sends the same again: that changes nothing that is already there.
"""

from __future__ import annotations

import logging
import traceback
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from sqlalchemy import Engine, and_, or_, select
from sqlalchemy.exc import SQLAlchemyError

from connectors.batch import Batch
from connectors.checks import Context, run_checks
from connectors.entities import SHAPES
from connectors.push.accounts import Account, Accounts, Guesses
from connectors.push.calls import Call, Sent, Service, basic_login, header_session, read_call
from connectors.push.records import batch_of, refused_records
from connectors.push.replies import (
    DONE,
    DONE_TO_NAMED,
    NOT_LET_IN,
    NOT_UNDERSTOOD,
    RefusedCallError,
    RefusedRecord,
    Reply,
    done,
    taken,
    too_many,
    try_again,
)
from connectors.stream import Stream
from connectors.sync import LOCK_WAIT_SECONDS, receive
from connectors.take import unit_codes
from warehouse.errors import IocError, RefusedInput, TransientError
from warehouse.schema import unit
from warehouse.settings import Settings
from warehouse.sources import PushSettings, SourceSettings

log = logging.getLogger(__name__)
CHALLENGE = 'Basic realm="ioc", charset="UTF-8"'
UNAUTHORIZED = 401


class PushDoor:
    """Answers the calls of every account of the settings; safe to be asked by several threads at once."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings
        self._accounts = Accounts(settings.sources)
        self._guesses = Guesses()
        self._turns = {(source.name, source.entity): Lock() for source in settings.sources if source.pushed}
        readers = [source.reader for source in settings.sources]
        self.max_body_bytes = max((r.max_body_bytes for r in readers if isinstance(r, PushSettings)), default=0)

    def answer(self, sent: Sent) -> Reply:
        """Do what a call asks; never raises."""
        try:
            return self._answer(sent)
        except RefusedCallError as error:
            return error.reply
        except (IocError, SQLAlchemyError) as error:
            told = str(error) if isinstance(error, IocError) else type(error).__name__
            log.warning("a pushed call was not stored: %s", told)
            return try_again("Hệ thống tạm thời chưa ghi nhận được, hãy gửi lại sau")
        except Exception as error:  # noqa: BLE001 - its text may hold what was sent: only where it arose is told
            frames = "".join(traceback.format_tb(error.__traceback__))
            log.error("a pushed call failed with %s\n%s", type(error).__name__, frames)
            return try_again("Hệ thống gặp lỗi, hãy gửi lại sau và báo cho đơn vị vận hành", 500)

    def _answer(self, sent: Sent) -> Reply:
        account = self._by_header(sent)
        call = read_call(sent)
        if call.service is Service.LOGIN:
            return self._login(sent, call)
        account = account or self._by_session(sent, call)
        if call.service is Service.AGENCIES:
            return self._agencies(sent)
        source = _source(account, call)
        if call.service is Service.LOOK_UP:
            return self._look_up(source, call)
        return self._take(source, call, sent)

    # --- who ------------------------------------------------------------------------------------------------------

    def _by_header(self, sent: Sent) -> Account | None:
        """Let in by the header Authorization, or by a header that holds the session."""
        if (given := basic_login(sent)) is not None:
            account = self._guessed(sent, *given)
        elif (session := header_session(sent)) is not None:
            account = self._accounts.of_session(session, sent.at)
        else:
            return None
        if account is None:
            raise _not_let_in("Thông tin đăng nhập trong header không đúng hoặc đã hết hạn", 401)
        return account

    def _by_session(self, sent: Sent, call: Call) -> Account:
        if call.session is None:
            raise _not_let_in("Chưa đăng nhập: thiếu session", 200 if call.envelope else 401)
        if (account := self._accounts.of_session(call.session, sent.at)) is None:
            raise _not_let_in("Session không hợp lệ hoặc đã hết hạn, hãy đăng nhập lại", 200)
        return account

    def _login(self, sent: Sent, call: Call) -> Reply:
        username, password = (call.envelope.get(name) for name in ("username", "password"))
        if not isinstance(username, str) or not isinstance(password, str):
            raise _not_let_in("Thiếu username hoặc password", 200)
        if (account := self._guessed(sent, username, password)) is None:
            raise _not_let_in("Tên đăng nhập hoặc mật khẩu không đúng", 200)
        return done(DONE, session=account.open_session(sent.at))

    def _guessed(self, sent: Sent, username: str, password: str) -> Account | None:
        if self._guesses.too_many(sent.address, username):
            raise RefusedCallError(
                NOT_LET_IN, "Đăng nhập sai quá nhiều lần, hãy thử lại sau 5 phút", 429, Retry_After="300"
            )
        if (account := self._accounts.login(username, password)) is None:
            self._guesses.wrong(sent.address, username)
            log.warning("a pushed login from %s was refused", sent.address)
        return account

    # --- what -----------------------------------------------------------------------------------------------------

    def _take(self, source: SourceSettings, call: Call, sent: Sent) -> Reply:
        if isinstance(source.reader, PushSettings) and len(sent.body) > source.reader.max_body_bytes:
            raise RefusedCallError(NOT_UNDERSTOOD, "Lời gọi lớn hơn mức cho phép, hãy chia nhỏ", 413)
        stream = Stream.of(self._settings, source)
        batch = batch_of(call, stream.mapping, sent.at.isoformat(timespec="seconds"))
        try:
            with self._turn(source):
                received = receive(self._engine, self._settings, source, batch, now=sent.at)
        except RefusedInput as error:
            log.warning("%s %s: a pushed call was refused: %s", source.name, source.entity, error)
            return too_many(len(call.records), self._refused(stream, batch, sent))
        report = received.report
        log.info(
            "%s %s: pushed %d = stored %d + unchanged %d + quarantined %d in %.1f s", source.name, source.entity,
            report.read, report.stored, report.unchanged, report.quarantined, report.seconds,
        )  # fmt: skip
        refused = refused_records(stream.mapping, received.mapped, received.refusals)
        return taken(_done_code(source, call), len(call.records), refused)

    @contextmanager
    def _turn(self, source: SourceSettings) -> Iterator[None]:
        """Let the calls of one stream in this process wait for each other here, not at the database."""
        turn = self._turns[source.name, source.entity]
        if not turn.acquire(timeout=LOCK_WAIT_SECONDS):
            raise TransientError(f"source {source.name}: another call is being stored; send it again later")
        try:
            yield
        finally:
            turn.release()

    def _refused(self, stream: Stream, batch: Batch, sent: Sent) -> list[RefusedRecord]:
        """Find out again what was wrong with a batch of which nothing was stored."""
        mapped = stream.map(batch)
        with self._engine.connect() as connection:
            units = unit_codes(connection)
        verdict = run_checks(Context(mapped, stream.shape, sent.at, stream.zone, units), stream.checks)
        return refused_records(stream.mapping, mapped, verdict.refusals)

    def _look_up(self, source: SourceSettings, call: Call) -> Reply:
        """Say whether a dossier of the sender is stored; nothing more about it."""
        code = unicodedata.normalize("NFC", str(call.envelope.get("mahoso") or "")).replace("\0", "").strip()
        table = SHAPES[source.entity].table
        asked = select(table.c.code).where(table.c.source == source.name, table.c.code == code)
        with self._engine.connect() as connection:
            known = connection.execute(asked).scalar_one_or_none()
        return done(_done_code(source, call), result=[] if known is None else [{"MaHoSo": known}])

    def _agencies(self, sent: Sent) -> Reply:
        """List the units of today by code and name."""
        today = sent.at.astimezone(self._settings.zone).date()
        now = and_(unit.c.valid_from <= today, or_(unit.c.valid_to.is_(None), unit.c.valid_to > today))
        with self._engine.connect() as connection:
            rows = connection.execute(select(unit.c.code, unit.c.name).where(now).order_by(unit.c.code)).all()
        return done(DONE_TO_NAMED, result=[{"MADONVI": code, "TENDONVI": name} for code, name in rows])


def _source(account: Account, call: Call) -> SourceSettings:
    if not account.offers(call.service):
        raise RefusedCallError(NOT_UNDERSTOOD, f"Tài khoản không được mở dịch vụ {call.service}")
    if (source := account.source(call.service, call.agency)) is None:
        raise RefusedCallError(NOT_LET_IN, "Mã đơn vị (madonvi) không thuộc tài khoản này")
    return source


def _not_let_in(message: str, status: int) -> RefusedCallError:
    headers = {"WWW_Authenticate": CHALLENGE} if status == UNAUTHORIZED else {}
    return RefusedCallError(NOT_LET_IN, message, status, **headers)


def _done_code(source: SourceSettings, call: Call) -> str:
    """The code that the sender takes for done: those that name the service in the body look for 00, others for 0."""
    wanted = source.reader.ok_code if isinstance(source.reader, PushSettings) else "auto"
    if wanted == "auto":
        return DONE_TO_NAMED if call.named else DONE
    return wanted


__all__ = ["PushDoor"]
