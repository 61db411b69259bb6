"""A throw-away PgBouncer in front of a database of the tests' server."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import psycopg
from brokers import wait_for
from conftest import APPLICATION, AS_ROOT
from port_for import get_port

# Of these a transaction pooler gives each client its own: the client's parameters.
KEPT_BY_POOLERS = "application_name client_encoding DateStyle TimeZone standard_conforming_strings"


class PgBouncer:
    """mode: transaction or session; size: of the pool, for each role."""

    def __init__(self, db: psycopg.Connection[Any], mode: str, size: int) -> None:
        self.place: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": str(get_port(None)),
            "user": APPLICATION,
            "dbname": db.info.dbname,
        }
        self._directory = Path(tempfile.mkdtemp())  # tmp_path is closed to the pooler's user
        self._directory.chmod(0o755)
        file = self._directory / "pgbouncer.ini"
        users = file.with_suffix(".txt")
        users.write_text(f'"{APPLICATION}" ""\n')
        settings = {
            "listen_addr": "127.0.0.1",
            "listen_port": self.place["port"],
            "unix_socket_dir": "",
            "auth_type": "trust",
            "auth_file": users,
            "pool_mode": mode,
            "default_pool_size": size,
            "max_client_conn": 100,
        }
        lines = [f"{name} = {value}" for name, value in settings.items()]
        server = f"host={db.info.host} port={db.info.port}"
        file.write_text("\n".join(["[databases]", f"* = {server}", "[pgbouncer]", *lines, ""]))
        command: list[str | Path] = ["/usr/sbin/pgbouncer", file]
        if AS_ROOT:  # as which it does not run; nor may others read the test's directory
            command = ["/usr/sbin/pgbouncer", "-u", "postgres", file]
        with file.with_suffix(".log").open("w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        self.log = file.with_suffix(".log")
        wait_for(self._answers)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def connect(self, **options: Any) -> psycopg.Connection[Any]:
        """An application's connection, as it should be behind a transaction pooler."""
        return psycopg.connect(
            **self.place, prepare_threshold=None, cursor_factory=psycopg.ClientCursor, **options
        )

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()
        print(self.log.read_text())  # shown where a test fails
        shutil.rmtree(self._directory)


# What the present server session has that its client has not asked for.
LEAKED = f"""
SELECT json_agg(l) FROM (
    SELECT name, setting FROM pg_settings
    WHERE source = 'session'
        AND name NOT LIKE 'transaction%' AND name <> ALL (string_to_array('{KEPT_BY_POOLERS}', ' '))
    UNION ALL SELECT 'role', current_user::text WHERE current_user <> session_user
    UNION ALL SELECT 'listens', c FROM pg_listening_channels() AS c
    UNION ALL SELECT 'prepared', statement FROM pg_prepared_statements
    UNION ALL SELECT 'cursor', name FROM pg_cursors WHERE name <> ''
    UNION ALL SELECT 'temporary', relname FROM pg_class WHERE relpersistence = 't'
    UNION ALL SELECT 'lock', locktype FROM pg_locks
        WHERE pid = pg_backend_pid() AND locktype = 'advisory'
) AS l
"""
