"""The service itself as programs: how migrations, web, live and worker are run, and the variables that they find."""

import secrets
import sys

from observatory.env import BASE_DIR
from observatory.supervisor.external import Addresses
from observatory.supervisor.options import Options
from observatory.supervisor.processes import Program

KEEP_THREADS_SECONDS = 600  # a thread that ends takes its database connection along
OPEN_CONNECTIONS = 1024  # granian counts idle keep-alive connections too, and they must not lock others out
SECRETS = ("SECRET_KEY", "JWT_SECRET")
MANAGE = str(BASE_DIR / "manage.py")


def service_variables(options: Options, database: Addresses, redis_url: str) -> dict[str, str]:
    """Return what commands need to find this service; secrets are made once and kept."""
    kept = options.home.service()
    return {
        **{name: kept.get(name) or secrets.token_hex(32) for name in SECRETS},
        "DATABASE_URL": database.service,
        "DATABASE_MIGRATION_URL": database.owner,
        "REDIS_URL": redis_url,
        "API_PORT": str(options.port),
        "API_BASE_URL": options.base_url or options.local_url,
        "LIVE_PORT": str(options.live_port),
        **_live_base(options),
        "WEB_CONCURRENCY": str(options.workers),
        "GRANIAN_BLOCKING_THREADS": str(options.threads),
        "EXPORT_DIR": options.environment.get("EXPORT_DIR") or str(options.home.path / "exports"),
        "PROMETHEUS_MULTIPROC_DIR": str(options.home.prometheus),
    }


def _live_base(options: Options) -> dict[str, str]:
    """Return where clients reach streams, where that does not follow from the other variables."""
    if options.live_base_url is None and options.base_url is not None:
        return {}
    return {"LIVE_BASE_URL": options.live_base_url or options.live_url}


def service_programs(options: Options, variables: dict[str, str], address: str) -> dict[str, Program]:
    """Return the programs of the service itself by name; the operator's own secrets win over those we made."""
    environment = {
        **options.environment,
        **variables,
        **{name: options.environment[name] for name in SECRETS if options.environment.get(name)},
        "DJANGO_SETTINGS_MODULE": "observatory.settings.service",
        "OBSERVATORY_HOME": str(options.home.path),
        "PYTHONUNBUFFERED": "1",
    }
    granian = {
        "--interface": "wsgi",
        "--host": address,
        "--port": options.port,
        "--workers": options.workers,
        "--blocking-threads": options.threads,
        "--blocking-threads-idle-timeout": KEEP_THREADS_SECONDS,
        "--backpressure": OPEN_CONNECTIONS,
        "--workers-kill-timeout": options.grace_seconds,
        "--log-level": "error",
    }
    flags = [str(part) for option in granian.items() for part in option]
    commands = {
        "prepare": (MANAGE, "prepare", *(("--demo",) if options.demo else ())),
        "web": ("-m", "granian", *flags, "--respawn-failed-workers", "--no-access-log", "observatory.wsgi:application"),
        "live": (MANAGE, "live", "--host", address, "--port", str(options.live_port)),
        "worker": (MANAGE, "worker"),
    }
    return {
        name: Program(
            name=name,
            command=(sys.executable, *command),
            environment=environment,
            record=options.home.record(name),
            folder=BASE_DIR,
            # Each ends by itself after the grace period; what is left a second later is killed.
            grace_seconds=options.grace_seconds + 1.0,
            insists=name == "web",
        )
        for name, command in commands.items()
    }
