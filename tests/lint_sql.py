"""``make lint``: Postgres's own parser reads every statement and every PL/pgSQL body."""

import sys
from pathlib import Path

import pglast

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "sql"))

from assemble import sources, with_python  # noqa: E402


def main() -> None:
    failed = 0
    for path in [*sources(), *(ROOT / "alembic/versions").rglob("*.sql")]:
        sql = with_python(path.read_text()).replace("@beat_schema@", '"beat"')
        try:
            statements = pglast.parse_sql(sql)
            for raw in statements:
                text = sql[raw.stmt_location :][: raw.stmt_len or None]
                if isinstance(raw.stmt, pglast.ast.CreateFunctionStmt) and "plpgsql" in text:
                    # There is no catalog here to look a row type up.
                    text = text.replace(" periodic_schedule.pipeline_source;", " record;")
                    text = text.replace("SETOF periodic_schedule.firing\n", "SETOF record\n")
                    pglast.parse_plpgsql(text)
        except pglast.Error as error:
            failed += 1
            print(f"{path.relative_to(ROOT)}: {error}")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
