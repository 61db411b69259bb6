"""README.md and the other pages: statements run as they stand, links lead somewhere."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from conftest import ENGINE, NEEDS_PYTHON, ROOT, insert_crontab, insert_task
from databases import client
from ticking import due_task, tick

Session = psycopg.Connection[Any]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "sql").glob("*.md")]
README = (ROOT / "README.md").read_text()
OPERATIONS = (ROOT / "docs/operations.md").read_text()
HOW_TO = README.partition("\n## How to\n")[2]


def test_statements_of_the_readme_run(db: Session) -> None:
    insert_task(db, "nightly", crontab_id=insert_crontab(db, "0 3 * * *"))
    db.execute(
        "CREATE SCHEMA app; CREATE TABLE app.tenant (id serial PRIMARY KEY, organization_id text);"
        "CREATE TABLE app.job (id uuid PRIMARY KEY, title text, workflow_id uuid,"
        " organization_id integer REFERENCES app.tenant);"
        "CREATE ROLE grafana; CREATE ROLE scheduler; CREATE ROLE oncall"
    )
    try:
        blocks = re.findall(r"(?s)```sql\n(.*?)```", HOW_TO)
        inline = re.findall(r"`(SELECT [^`]*)`", HOW_TO)
        assert len(blocks) > 5
        assert len(inline) > 5
        for statements in (*blocks, *inline):
            if ENGINE == "sql" and NEEDS_PYTHON.search(statements):
                continue
            if "fence_beat" not in statements:  # which needs a role of Beat's
                client("psql", db, "-q", "-v", "ON_ERROR_STOP=1", text=statements)
    finally:
        db.execute("DROP OWNED BY grafana, scheduler, oncall; DROP ROLE grafana, scheduler, oncall")


def test_whoever_is_on_call_runs_the_statements_of_the_page(db: Session) -> None:
    """With the rights that the page says, and no others; and they answer."""
    due_task(db, "nightly")
    tick(db)
    db.execute(
        "CREATE ROLE oncall; SELECT periodic_schedule.grant_access('operator', 'oncall');"
        "SELECT periodic_schedule.grant_access('reader', 'oncall')"
    )
    said = {}
    try:
        blocks = re.findall(r"(?s)\n([^\n]*)\n```sql\n(.*?)```", OPERATIONS)
        assert len(blocks) == OPERATIONS.count("```sql") > 20
        for before, statement in blocks:
            assert statement.count(";\n") == 1  # one for each question
            text = f"SET ROLE oncall;\n{statement}"
            arguments = ("-q", "-A", "-t", "-v", "ON_ERROR_STOP=1")
            said[before] = client("psql", db, *arguments, text=text)
    finally:
        db.execute("DROP OWNED BY oncall; DROP ROLE oncall")
    answers = "\n".join(said.values())
    # Alive; to be sent; fired once more; and what is wrong: nothing.
    for answer in (r"127\.0\.0\.1.*\|t$", r"^nightly\|.*\|waiting\|", r"\|nightly\|.*\|waiting\|"):
        assert re.search(f"(?m){answer}", answers), answer
    assert [answer for before, answer in said.items() if "`what_to_do`" in before] == [""]


def test_whoever_is_on_call_sees_who_holds_everything_up(
    db: Session, connect: Callable[..., Session]
) -> None:
    """Prepared transactions too; and without the rights, that something is not seen."""
    (statement,) = re.findall(r"(?s)\*\*Who holds.*?```sql\n(.*?)```", OPERATIONS)
    (grant,) = re.findall(r"`(GRANT .* TO oncall)`", OPERATIONS)
    connect().execute("SELECT FROM pg_class")
    db.execute("BEGIN; CREATE TABLE kept (); PREPARE TRANSACTION 'p'")
    text = f"SET ROLE oncall;\n{statement.replace('1 minute', '0 s')}"
    arguments = ("-q", "-A", "-t", "-v", "ON_ERROR_STOP=1")
    db.execute("CREATE ROLE oncall")
    try:
        hidden = client("psql", db, *arguments, text=text)
        db.execute(grant.encode())
        seen = client("psql", db, *arguments, text=text)
    finally:
        db.execute("DROP ROLE oncall")
        db.execute("ROLLBACK PREPARED 'p'")
    assert "<insufficient privilege>" in hidden
    assert "|SELECT FROM pg_class" not in hidden
    assert "<insufficient privilege>" not in seen
    assert "|SELECT FROM pg_class" in seen
    for answer in (hidden, seen):
        assert answer.count("|ROLLBACK PREPARED 'p'") == 1


def test_the_page_on_operations_names_what_there_is(db: Session) -> None:
    assert "WHERE NOT can_wait" in OPERATIONS
    view = (ROOT / "sql/health/health.sql").read_text()
    (late,) = re.findall(r"(?s)ANY \((.*?)::text\[\]\s*\) AS can_wait", view)
    source = (ROOT / "sql/health/internal/advice_on.sql").read_text()
    assert set(re.findall(r"\w+", late)) <= set(re.findall(r"WHEN '(\w+)'", source))
    named = set(re.findall(r"(?m)^\| `(periodic_schedule_\w+)", OPERATIONS))
    metrics = {
        name for (name,) in db.execute("SELECT DISTINCT name FROM periodic_schedule.metrics")
    }
    # In an empty database nobody has ticked yet.
    assert named - metrics == {"periodic_schedule_last_tick_seconds"}


def test_answers_of_the_readme_are_those_that_it_gives(db: Session) -> None:
    shown = re.findall(r"(?m)^app=# (.*;)\n((?:.+\n)+)", HOW_TO.partition("```\n(02:30")[0])
    assert len(shown) == 3
    for statement, answer in shown:
        if ENGINE == "sql" and NEEDS_PYTHON.search(statement):
            continue
        said = client("psql", db, "-q", "-c", "SET TimeZone = 'UTC'", "-c", statement)
        lines = [line.rstrip() for line in said.splitlines()]
        assert set(answer.removesuffix("```\n").splitlines()) <= set(lines)


def test_problems_of_health_are_those_that_the_readme_lists(db: Session) -> None:
    listed = re.findall(r"(?m)^([a-z_]+(?:, [a-z_]+)*)  ", HOW_TO.partition("one of\n```\n")[2])
    said = db.execute("SELECT col_description('periodic_schedule.health'::regclass, 1)").fetchone()
    assert said
    names = {name for line in listed for name in line.split(", ")}
    assert set(re.findall(r"\b[a-z]+_[a-z_]+\b(?!\()", said[0])) <= names
    assert names <= set(re.findall(r"[a-z_]+", said[0]))


def slug(heading: str) -> str:
    """GitHub's."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    text = re.sub(r"(?ms)^ *```.*?^ *```", "", page.read_text())
    return {slug(heading) for heading in re.findall(r"(?m)^#+ (.*)$", text)}


def test_links_lead_somewhere() -> None:
    broken = []
    for page in PAGES:
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            if link.startswith("https://"):
                continue
            if not target.exists() or (anchor and anchor not in anchors(target)):
                broken.append(f"{page.name}: {link}")
    assert broken == []
