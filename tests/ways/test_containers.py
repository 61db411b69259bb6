"""docker/compose.yaml and docs/kubernetes.md: their commands are there, and probes end as they say.

No container runs here.
"""

import os
import re
import shlex
import subprocess
from typing import Any

import psycopg
import pytest
import yaml
from conftest import BIN, ROOT, SAMPLE, run, url_of

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker/compose.yaml").read_text())["services"]
(FRAGMENT,) = re.findall(r"(?s)```yaml\n(.*?)```", (ROOT / "docs/kubernetes.md").read_text())
PARTS: dict[str, Any] = {part["kind"]: part for part in yaml.safe_load_all(FRAGMENT)}


def container(kind: str) -> dict[str, Any]:
    (found,) = PARTS[kind]["spec"]["template"]["spec"]["containers"]
    return dict(found)


PROBES = {
    "compose": ["sh", "-c", COMPOSE["scheduler"]["healthcheck"]["test"].replace("$$", "$")],
    "kubernetes": container("Deployment")["readinessProbe"]["exec"]["command"],
}


def shell(command: list[str], url: str) -> int:
    path = f"{BIN}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "DATABASE_URL": url}
    return subprocess.run(command, cwd=SAMPLE, env=environment, check=False).returncode


def test_compose_migrates_and_adopts_and_may_be_started_again(
    db: psycopg.Connection[Any],
) -> None:
    for _ in range(2):
        assert shell(COMPOSE["migrate"]["command"], url_of(db.info)) == 0
    owned = db.execute("SELECT bool_and(pg_owned), count(*) FROM pg_periodic_schedule").fetchone()
    assert owned == (True, 1)


@pytest.mark.parametrize("command", PROBES.values(), ids=PROBES)
def test_a_probe_passes_warnings_and_no_database_that_is_away(
    db: psycopg.Connection[Any], command: list[str]
) -> None:
    assert shell(command, url_of(db.info)) == 0
    run("python", "manage.py", "loaddata", "sample", url=url_of(db.info), cwd=SAMPLE)
    db.execute("UPDATE django_celery_beat_crontabschedule SET hour = '25'")
    check = [str(BIN / "pg-periodic-schedule"), "check"]
    assert shell(check, url_of(db.info)) == 1
    assert shell(command, url_of(db.info)) == 0
    assert shell(command, url_of(db.info, port="1")) != 0


def test_both_run_our_scheduler_and_kubernetes_migrates() -> None:
    beats = shlex.split(COMPOSE["scheduler"]["command"]), container("Deployment")["command"]
    for beat in beats:
        assert beat[0] == "celery"
        assert beat[beat.index("-S") + 1] == "pg_periodic_schedule.beat:Scheduler"
    assert "-S, --scheduler" in run("celery", "beat", "--help", url="")
    assert container("Job")["command"] == ["python", "manage.py", "migrate"]
    assert PARTS["Deployment"]["spec"]["replicas"] == 2
    secret = PARTS["Secret"]["metadata"]["name"]
    for kind in ("Job", "Deployment"):
        assert container(kind)["envFrom"] == [{"secretRef": {"name": secret}}]
