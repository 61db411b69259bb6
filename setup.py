"""What pyproject.toml cannot say: folders that belong to the package, an extra that is a file."""

from pathlib import Path

from setuptools import find_namespace_packages, setup

NAME = "pg_periodic_schedule"
# Inside the package where it is installed, beside it in a checkout.
FOLDERS = {"sql": "sql", "plpython": "plpython", "revisions": "alembic"}


def packages(name: str, folder: str) -> list[str]:
    return [name, *(f"{name}.{inner}" for inner in find_namespace_packages(folder))]


setup(
    packages=packages(NAME, NAME)
    + [inner for name, folder in FOLDERS.items() for inner in packages(f"{NAME}.{name}", folder)],
    package_dir={f"{NAME}.{name}": folder for name, folder in FOLDERS.items()},
    package_data={"": ["*.sql", "*.sha256", "py.typed", "requirements.txt"]},
    extras_require={
        # INSTALLED_APPS, manage.py migrate
        "django": ["Django>=4.2", "django-celery-beat>=2.5"],
        # celery beat -S pg_periodic_schedule.beat:Scheduler, in the application's environment
        "celery": ["celery>=5.3", "django-celery-beat>=2.5"],
        # alembic upgrade pg_periodic_schedule@head
        "alembic": ["alembic>=1.16"],
        # the command pg-periodic-schedule
        "cli": ["click>=8.1", "rich>=13"],
        # What the installed functions import: for the Python of the database server
        "server": [
            line
            for line in Path("plpython/requirements.txt").read_text().splitlines()
            if not line.startswith("#")
        ],
        # A driver, in an environment without one.  No other extra brings one: Django uses psycopg 3
        # as soon as it can be imported.
        "psycopg": ["psycopg[binary]>=3.1.8"],
    },
)
