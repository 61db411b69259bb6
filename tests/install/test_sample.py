"""What a newcomer runs first: the sample project's fixture."""

from typing import Any

import psycopg
from conftest import SAMPLE, drift, mirror, run, url_of


def test_the_fixture_comes_in_the_wrong_order_and_is_mirrored(
    db: psycopg.Connection[Any],
) -> None:
    run("python", "manage.py", "loaddata", "sample", url=url_of(db.info), cwd=SAMPLE)
    seen = "ROW(pipeline_name, organization_id, cron_string, sync_error)"
    name = "0b9e2f8e-6a1f-4c83-9d7b-2f6f3a1c5d10"
    assert mirror(db, seen, name) == ("Every five minutes", "acme", "*/5 * * * *", None)
    assert drift(db) == []
