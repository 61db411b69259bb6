"""The server's zone data is another than when next runs were computed."""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import drift, insert_crontab, insert_task
from ticking import Session

HEALTH = "SELECT problem, detail FROM periodic_schedule.health WHERE problem <> 'drift'"


@pytest.fixture
def zones() -> Iterator[Path]:
    """A tz database of ours: of release 2026a, and Madrid has Berlin's time."""
    place = Path(tempfile.mkdtemp())  # tmp_path is closed to the server's user
    place.chmod(0o755)
    (place / "Europe").mkdir()
    for name in ("UTC", "Europe/Berlin", "Europe/London"):
        shutil.copy(Path("/usr/share/zoneinfo") / name, place / name)
    shutil.copy(place / "Europe/Berlin", place / "Europe/Madrid")
    (place / "tzdata.zi").write_text("# version 2026a\n")
    yield place
    shutil.rmtree(place)


@pytest.mark.python
def test_an_update_of_the_zone_data_is_seen_until_reconcile(
    connect: Callable[..., Session], zones: Path
) -> None:
    def begin() -> Session:
        """As on a server whose tz database this is."""
        session = connect(autocommit=True)
        path = f"import zoneinfo; zoneinfo.reset_tzpath(to=['{zones}'])"
        session.execute(f"DO LANGUAGE plpython3u $${path}$$".encode())
        return session

    old = begin()
    insert_task(old, "t", crontab_id=insert_crontab(old, "0 3 * * *", "Europe/Madrid"))
    old.execute("SELECT * FROM periodic_schedule.reconcile()")
    hour = (
        "SELECT extract(hour FROM next_run_at AT TIME ZONE 'Europe/London')"
        " FROM pg_periodic_schedule"
    )
    assert old.execute(HEALTH).fetchall() == []
    assert old.execute(hour).fetchall() == [(2,)]

    # An hour to the west, from the next release on.
    shutil.copy(zones / "Europe/London", zones / "Europe/Madrid")
    (zones / "tzdata.zi").write_text("# version 2026b\n")
    new = begin()
    ((problem, detail),) = new.execute(HEALTH).fetchall()
    assert problem == "tz_changed"
    assert "with release 2026a of the tz database, and the server has 2026b" in detail
    assert drift(new) != []
    # A session that goes on with the zones that it has read mends nothing.
    assert old.execute(HEALTH).fetchall() == []
    old.execute("SELECT * FROM periodic_schedule.reconcile()")
    assert [problem for problem, _ in new.execute(HEALTH)] == ["tz_changed"]
    (statement,) = re.findall(r"SELECT .*;", detail)
    new.execute(statement.encode())
    assert (new.execute(HEALTH).fetchall(), drift(new)) == ([], [])
    assert new.execute(hour).fetchall() == [(3,)]


def test_restored_rows_of_an_older_release_count(db: Session) -> None:
    """A restore of data brings the row of where the data come from."""
    db.execute(
        "INSERT INTO _periodic_schedule.installation (beat_schema, tz_version, installed_at)"
        " VALUES ('public', '2001a', now() - interval '1 year')"
    )
    assert [problem for problem, _ in db.execute(HEALTH)] == ["tz_changed"]
    db.execute("SELECT * FROM periodic_schedule.reconcile()")
    assert db.execute(HEALTH).fetchall() == []
