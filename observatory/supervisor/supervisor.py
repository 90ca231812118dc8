"""The running children of `up`: restarted when they die, stopped in order at the end."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from observatory.supervisor.failure import CannotStart
from observatory.supervisor.processes import Child, Program, RestartPolicy, spawn

# Takers of requests first, what they need last.
STOP_ORDER = ("prepare", "web", "live", "worker", "valkey", "postgres")


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """Children by name, and a policy for each; `say` shows one line to the operator."""

    say: Callable[[str], None]
    children: dict[str, Child] = field(default_factory=dict)
    policies: dict[str, RestartPolicy] = field(default_factory=dict)

    def adopt(self, child: Child) -> Child:
        """Take a started child under supervision."""
        self.children[child.program.name] = child
        return child

    def start(self, program: Program) -> Child:
        return self.adopt(spawn(program))

    def release(self, name: str) -> None:
        """End supervision of a child that has ended by itself."""
        del self.children[name]

    def restart_the_dead(self) -> None:
        """Start every child again that has died; raise `CannotStart` when one dies again and again."""
        for child in list(self.children.values()):
            status = child.exit_status()
            if status is None:
                continue
            child.kill_group()
            policy = self.policies.setdefault(child.program.name, RestartPolicy())
            if not policy.allows_restart(time.monotonic()):
                raise CannotStart(
                    f"{child.program.name} ended {policy.limit} times within {policy.window_seconds:.0f} s "
                    f"(now {describe_exit(status)}): its messages say why."
                )
            self.say(f"{child.program.name} ended ({describe_exit(status)}): starting it again.")
            self.start(child.program)

    def stop_all(self) -> None:
        """Stop every child; a second request to stop does not shorten this."""
        for name in STOP_ORDER:
            child = self.children.pop(name, None)
            if child is not None:
                child.stop()


def check_alive(child: Child) -> None:
    """Raise `CannotStart` if `child` has ended."""
    status = child.exit_status()
    if status is not None:
        raise CannotStart(
            f"The {child.program.name} process ended before it was ready ({describe_exit(status)}): "
            "its messages above say why."
        )


def describe_exit(status: int) -> str:
    """Return an exit status of `subprocess` in words."""
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
