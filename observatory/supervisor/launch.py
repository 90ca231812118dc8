"""The whole life of `up`: check, start, show, watch, stop."""

import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from observatory.env import DRAINING_FILE
from observatory.supervisor.external import Addresses, check_redis, use_database
from observatory.supervisor.failure import CannotStart, StopRequested, ToldAlready
from observatory.supervisor.home import Home
from observatory.supervisor.network import ANOTHER_LIVE_PORT, claim_address, wait_ready
from observatory.supervisor.options import Options
from observatory.supervisor.postgres import EmbeddedPostgres
from observatory.supervisor.processes import Program, stop_leftover
from observatory.supervisor.programs import service_programs, service_variables
from observatory.supervisor.roles import DATABASE, OWNER, SERVICE, make_embedded_roles
from observatory.supervisor.signals import StopSignals
from observatory.supervisor.supervisor import Supervisor, check_alive, describe_exit
from observatory.supervisor.valkey import EmbeddedValkey

WATCH_SECONDS = 0.1
LEFTOVER_SECONDS = 5.0
OTHER_CONNECTIONS = 45  # of the live process, the worker, commands and a superuser, besides those of the web processes


@dataclass(slots=True, kw_only=True)
class Launch:
    """One `up`: `say` shows progress, `greet` is called once when the service is ready."""

    options: Options
    say: Callable[[str], None]
    greet: Callable[[], None]

    def run(self) -> None:
        """Return when a signal asked for the end and everything is stopped; raise `CannotStart` on failure."""
        home = self.options.home
        home.create()
        signals = StopSignals()
        supervisor = Supervisor(say=self.say)
        with home.locked(), signals.caught():
            try:
                self._start(supervisor, signals)
                self.greet()
                self._watch(supervisor, signals)
            except StopRequested:
                self.say("Stopping.")
            finally:
                supervisor.stop_all()

    def _start(self, supervisor: Supervisor, signals: StopSignals) -> None:
        options = self.options
        for name in ("prepare", "web", "live", "worker"):
            stop_leftover(options.home.record(name), stop_signal=signal.SIGTERM, grace_seconds=LEFTOVER_SECONDS)
        draining_mark(options.home).unlink(missing_ok=True)
        address = claim_address(options.host, options.port)
        claim_address(options.host, options.live_port, cure=ANOTHER_LIVE_PORT)
        database, redis_url = self._start_servers(supervisor, signals)
        variables = service_variables(options, database, redis_url)
        options.home.write_service(variables)
        shutil.rmtree(options.home.prometheus, ignore_errors=True)  # counters of processes that are gone
        options.home.prometheus.mkdir(mode=0o700)
        programs = service_programs(options, variables, address)
        self._prepare(supervisor, signals, programs["prepare"])
        started = [
            (supervisor.start(programs[name]), port)
            for name, port in (("web", options.port), ("live", options.live_port))
        ]
        for child, port in started:
            wait_ready(address, port, check_alive=partial(check_alive, child), pause=signals.pause)
        supervisor.start(programs["worker"])

    def _start_servers(self, supervisor: Supervisor, signals: StopSignals) -> tuple[Addresses, str]:
        options = self.options
        # The operator's servers come first: a wrong address is found before anything is started.
        database = use_database(options.database_url, options.migration_url) if options.database_url else None
        if options.redis_url:
            check_redis(options.redis_url)
        valkey = None if options.redis_url else EmbeddedValkey(options.home.path)
        if valkey:
            supervisor.adopt(valkey.launch())
        if database is None:
            postgres = EmbeddedPostgres(
                options.home.path, max_connections=options.database_connections + OTHER_CONNECTIONS
            )
            supervisor.adopt(postgres.launch())
            for notice in postgres.notices:
                self.say(notice)
            postgres.wait_ready(signals.pause)
            database = embedded_addresses(postgres)
        if valkey:
            valkey.wait_ready(signals.pause)
        return database, valkey.url if valkey else str(options.redis_url)

    def _prepare(self, supervisor: Supervisor, signals: StopSignals, program: Program) -> None:
        child = supervisor.start(program)
        while (status := child.exit_status()) is None:
            signals.pause(WATCH_SECONDS / 5)
        supervisor.release(program.name)
        if status > 0:
            raise ToldAlready
        if status < 0:
            raise CannotStart(f"`manage.py prepare` did not finish ({describe_exit(status)}): start again.")

    def _watch(self, supervisor: Supervisor, signals: StopSignals) -> None:
        try:
            while True:
                signals.pause(WATCH_SECONDS)
                supervisor.restart_the_dead()
        except StopRequested:
            if signals.latest is signal.SIGTERM:  # Ctrl-C has no load balancer to wait for
                draining_mark(self.options.home).touch()
                signals.forget()
                signals.pause(self.options.drain_seconds)  # a second signal ends the wait
            raise


def embedded_addresses(postgres: EmbeddedPostgres) -> Addresses:
    """Return the addresses of our own database, made before where they are missing."""
    owner, service = postgres.password(OWNER), postgres.password(SERVICE)
    make_embedded_roles(postgres.superuser_url, owner_password=owner, service_password=service)
    return Addresses(
        service=postgres.url(DATABASE, SERVICE, service),
        owner=postgres.url(DATABASE, OWNER, owner),
    )


def draining_mark(home: Home) -> Path:
    """Return the file that exists while the service is about to stop: readiness is 503 then."""
    return home.run / DRAINING_FILE
