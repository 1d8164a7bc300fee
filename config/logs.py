"""How the process speaks: one line per event on standard output, for people on a terminal, as JSON elsewhere.

Decides format, redaction and that a log line never stops or stalls the program. It never decides what is
worth saying. Set up once by ``run.py``.
"""

import contextlib
import logging
import os
import re
import select
import sys
import threading
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any, TextIO

import orjson
import structlog
from typing_extensions import override

from config.recent import LINES, RECENT
from config.settings import LogSettings

SECRET_NAMES = re.compile(
    r"password|passwd|secret|token|authorization|cookie|apikey|api_key|private", re.IGNORECASE
)
SECRET_VALUES = re.compile(
    r"(?P<scheme>\bpostgres(?:ql)?://[^:@/\s]*:)[^@\s]+(?=@)"  # password inside a URL
    r"|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]+"  # a signed token
    r"|\bbsk_(?:sec|pub)_\w+"  # our own keys
    r"|(?P<bearer>\bBearer )[\w.~+/-]+=*",
    re.IGNORECASE,
)
HIDDEN = "[hidden]"
REQUEST: ContextVar[tuple[str, str]] = ContextVar("request", default=("", ""))
"""Id of the request that is being answered, and its tenant; ``""`` when there is none."""


class LossyWriter:
    """Writes lines to a descriptor without ever waiting; a line that does not fit is dropped and counted.

    Args:
        stream: where to; its descriptor is used directly, so that nothing is buffered in between.
    """

    def __init__(self, stream: TextIO) -> None:
        self.dropped = 0
        self._descriptor = -1
        self._alone = threading.Lock()  # the watchdog speaks from a thread of its own
        self._room = select.poll()
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or no real file
            self._descriptor = stream.fileno()
            self._room.register(self._descriptor, select.POLLOUT)

    def write(self, line: str) -> None:
        """Write one line; never raises, never blocks."""
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        with self._alone:
            if self.dropped:
                data = b'{"event":"log.dropped","level":"warning","lines":%d}\n' % self.dropped + data
            if self._deliver(data):
                self.dropped = 0
            else:
                self.dropped += 1

    def _deliver(self, data: bytes) -> bool:
        try:
            for start in range(0, len(data), select.PIPE_BUF):
                # a pipe that is ready takes this much at once; a reader that sleeps must not stop us
                piece = data[start : start + select.PIPE_BUF]
                if not self._room.poll(0) or os.write(self._descriptor, piece) != len(piece):
                    return False
        except OSError:  # disk full, reader gone, descriptor closed
            return False
        return True

    msg = debug = info = warning = error = critical = exception = fatal = write


def set_up(settings: LogSettings, stream: TextIO | None = None) -> LossyWriter:
    """Send structlog's and the standard library's records to one place.

    Args:
        settings: level and format.
        stream: standard output by default.

    Returns:
        The writer, whose ``dropped`` is a metric.
    """
    target = stream or sys.stdout
    writer = LossyWriter(target)
    with contextlib.suppress(ValueError, AttributeError):
        console = settings.format == "console" or (settings.format == "auto" and target.isatty())
        return _configure(writer, settings, console=console)
    return _configure(writer, settings, console=False)


def _configure(writer: LossyWriter, settings: LogSettings, *, console: bool) -> LossyWriter:
    level = getattr(logging, settings.level.upper())
    shared: list[structlog.typing.Processor] = [
        name_request,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if console else "iso", utc=not console),
    ]
    render = _console_line if console else _json_line
    last: list[structlog.typing.Processor] = [structlog.processors.format_exc_info, redact, keep, render]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: writer,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Forward()], level=max(level, logging.WARNING), force=True)
    logging.raiseExceptions = False
    return writer


def name_request(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Say for whom the line is, where it does not say so itself."""
    request_id, tenant = REQUEST.get()
    if request_id:
        event.setdefault("request_id", request_id)
        if tenant:
            event.setdefault("tenant", tenant)
    return event


def keep(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Remember what was said, and what went wrong, lately."""
    LINES.note(event)
    RECENT.note(event)
    return event


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide what is secret by name or by look, however deep it stands."""
    for name, value in event.items():
        event[name] = _hidden(name, value)
    return event


def hide(text: str) -> str:
    """Return a text without what looks like a secret."""
    return SECRET_VALUES.sub(lambda found: (found["scheme"] or found["bearer"] or "") + HIDDEN, text)


def _hidden(name: str, value: object) -> object:
    if SECRET_NAMES.search(name) and value not in {None, "", True, False}:
        return HIDDEN
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, Mapping):
        return {key: _hidden(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(name, item) for item in value]
    return value


def _json_line(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    # orjson escapes every control character: one event stays one line, whatever a client sent
    try:
        return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # a lone surrogate
        plain = {key: str(value).encode("utf-8", "backslashreplace").decode() for key, value in event.items()}
        return orjson.dumps(plain).decode()


def _console_line(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    time, level, name = event.pop("timestamp", ""), event.pop("level", "info"), event.pop("event", "")
    trace = event.pop("exception", "")
    details = " ".join(f"{key}={_shown(value)}" for key, value in event.items())
    line = f"{time} {level:<7} {_shown(name)}{'  ' if details else ''}{details}"
    return f"{line}\n{trace}" if trace else line


def _shown(value: object) -> str:
    text = str(value)
    return text if text.isprintable() else repr(text)


class _Forward(logging.Handler):
    """Takes what libraries log."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger(record.name)
        with contextlib.suppress(Exception):  # a bad log call of a library is not our failure
            log.log(
                record.levelno,
                "library.message",
                logger=record.name,
                message=record.getMessage(),
                exc_info=record.exc_info,
            )
