"""A PostgreSQL server that begins as a copy of another one and follows it."""

import os
import subprocess
from pathlib import Path

from observatory.supervisor import postgres as embedded
from observatory.supervisor.home import write_private


class Standby(embedded.EmbeddedPostgres):
    """The copy of the embedded server with its data in `primary`, which superusers reach at `primary_url`."""

    def __init__(self, home: Path, *, primary: Path, primary_url: str, durable: bool = True) -> None:
        super().__init__(home, durable=durable)
        self._primary, self._primary_url = embedded.Home(path=primary), primary_url

    def _create_cluster(self) -> None:
        write_private(self._home.postgres_secret, self._primary.postgres_secret.read_text())
        data = self._home.postgres
        data.mkdir(mode=0o700)
        if self._user:
            os.chown(data, *self._user)
        uid, gid = self._user or (None, None)
        options = ("--write-recovery-conf", "--checkpoint=fast")
        subprocess.run(
            [embedded._binaries() / "pg_basebackup", *("-d", self._primary_url, "-D", data), *options],
            check=True,
            cwd=data,
            user=uid,
            group=gid,
            extra_groups=None if uid is None else [],
        )
