"""Commands of operators that are asked for in the admin: the worker runs them, who asked looks at what they said.

A run is the words of one command or several, with `--dry-run` or without. What is known of it is kept in Redis for a
day; what it did is where the command leaves it: in the store and in the audit log.
"""

import shlex
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from io import StringIO
from uuid import uuid4

import orjson
import structlog
from django.core.management import CommandError, call_command
from django.utils import timezone
from procrastinate.contrib.django import app

from errors.catalog import INTERNAL_SERVER_ERROR, REDIS_ERROR
from errors.exceptions import ApiError
from ratelimit.backend import AwayError, backend

TASK, QUEUE = "operation", "operations"
KEPT_SECONDS = 86_400
_LONGEST = 200_000  # characters of what a command said
_TELL_SECONDS = 1.0
_TRIES = 20
_REFUSALS = (CommandError, SystemExit)
log = structlog.get_logger("observatory.operations")


class State(StrEnum):
    """How far a run is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run: the name of what was asked for, its commands, of whom and about whose rows (`None`: everybody's).

    `said` is what the commands said once it is over, `progress` the newest line of theirs before.
    """

    id: str
    operation: str
    commands: Sequence[Sequence[str]]
    dry_run: bool
    user_id: str
    organisation_id: int | None = None
    state: State = State.WAITING
    said: str = ""
    progress: str = ""
    asked_at: datetime = field(default_factory=timezone.now)
    told_at: datetime = field(default_factory=timezone.now)

    @property
    def is_over(self) -> bool:
        return self.state in {State.DONE, State.REFUSED, State.FAILED}

    @property
    def is_done(self) -> bool:
        return self.state is State.DONE

    @property
    def words(self) -> list[list[str]]:
        """The commands as they are run."""
        return [[*one, *(["--dry-run"] if self.dry_run else [])] for one in self.commands]


def operation_begin(
    *,
    operation: str,
    commands: Sequence[Sequence[str]],
    dry_run: bool,
    user_id: str,
    organisation_id: int | None = None,
) -> Run:
    """Let the worker run `commands` one after another, up to the first that refuses; raise 503/1701 without Redis."""
    run = Run(
        id=uuid4().hex,
        operation=operation,
        commands=commands,
        dry_run=dry_run,
        user_id=user_id,
        organisation_id=organisation_id,
    )
    try:
        _keep(run)
    except AwayError as away:
        raise ApiError(REDIS_ERROR) from away
    app.configure_task(TASK, queue=QUEUE).defer(run_id=run.id)
    return run


def operation_find(run_id: str, *, user_id: str) -> Run | None:
    """Return a run of a user; `None` for one that is none, is forgotten, or is somebody else's."""
    try:
        known = backend.ask(lambda client: client.get(_key(run_id)))
    except AwayError as away:
        raise ApiError(REDIS_ERROR) from away
    run = None if known is None else _read(known)
    return run if run is not None and run.user_id == user_id else None


def operation_run(run_id: str) -> None:
    """Run what was asked for; what comes of it, refusals too, is kept with the run."""
    known = backend.ask(lambda client: client.get(_key(run_id)))
    run = None if known is None else _read(known)
    if run is None or run.is_over:
        return
    out, progress = StringIO(), _Progress(run)
    progress.tell()
    state = State.DONE
    try:
        for words in run.words:
            if len(run.words) > 1:
                out.write(f"$ manage.py {shlex.join(words)}\n")
            call_command(*words, stdout=out, stderr=progress)
    except _REFUSALS as refused:
        state = State.REFUSED
        out.write(str(refused) if isinstance(refused, CommandError) else progress.said)
    except Exception:  # whatever it is: who asked is told that it failed, and the log has it
        state = State.FAILED
        log.exception("operation failed", run=run_id, commands=run.words)
        out.write(f"{INTERNAL_SERVER_ERROR.message}. The log tells of run {run_id}.")
    said = out.getvalue().strip()
    cut = f"{said[:_LONGEST]}\n… and {len(said) - _LONGEST} more characters" if len(said) > _LONGEST else said
    ended = replace(run, state=state, said=cut, told_at=timezone.now())
    for attempt in range(_TRIES):  # nobody else knows what came of it
        try:
            _keep(ended)
        except AwayError:
            if attempt == _TRIES - 1:
                raise
            time.sleep(_TELL_SECONDS)
        else:
            return


class _Progress:
    """What a command writes to its standard error; the newest line is told with the run, once a second at most."""

    def __init__(self, run: Run) -> None:
        self.run = replace(run, state=State.RUNNING)
        self.said = ""
        self._next = 0.0

    def write(self, text: str) -> None:
        self.said = text.strip() or self.said
        if time.monotonic() >= self._next:
            self.tell()

    def flush(self) -> None:
        """Do nothing: what is written is told at once."""

    def tell(self) -> None:
        self._next = time.monotonic() + _TELL_SECONDS
        try:
            _keep(replace(self.run, progress=self.said, told_at=timezone.now()))
        except AwayError:
            return


def _key(run_id: str) -> str:
    return f"llmo:operation:{run_id}"


def _keep(run: Run) -> None:
    body = orjson.dumps(asdict(run))
    backend.ask(lambda client: client.set(_key(run.id), body, ex=KEPT_SECONDS))


def _read(body: bytes | str) -> Run:
    known = orjson.loads(body)
    times = {name: datetime.fromisoformat(known[name]) for name in ("asked_at", "told_at")}
    return Run(**{**known, **times, "state": State(known["state"])})
