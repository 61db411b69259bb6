"""README.md and the other pages: statements run as they stand, links lead somewhere."""

import re
from pathlib import Path
from typing import Any

import psycopg
from conftest import ROOT, insert_crontab, insert_task
from databases import client

Session = psycopg.Connection[Any]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "sql").glob("*.md")]
README = (ROOT / "README.md").read_text()
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
            if "fence_beat" not in statements:  # which needs a role of Beat's
                client("psql", db, "-q", "-v", "ON_ERROR_STOP=1", text=statements)
    finally:
        db.execute("DROP OWNED BY grafana, scheduler, oncall; DROP ROLE grafana, scheduler, oncall")


def test_answers_of_the_readme_are_those_that_it_gives(db: Session) -> None:
    shown = re.findall(r"(?m)^app=# (.*;)\n((?:.+\n)+)", HOW_TO.partition("```\n(02:30")[0])
    assert len(shown) == 3
    for statement, answer in shown:
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
