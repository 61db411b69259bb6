# Everything starts from a bare Debian or Ubuntu: what is missing is installed first.
.PHONY: demo test trixie differential soak bench lint dist install uninstall freeze revision provision
bin := .venv/bin

demo: provision  ## schedules written through Django, the mirror, and Beat retired
	@$(bin)/python docker/demo.py

# By files on three processes, each with a server of its own: many tests wait for real time.
# ENGINE=sql: on servers without PL/Python, where a plain role installs; TESTS=: some files or folders.
test: provision  ## the suite, on throw-away servers
	$(bin)/pytest -n 3 --dist loadfile --no-loadscope-reorder $(or $(TESTS),--ignore=tests/ways)

# The first time it takes three minutes more, for a tree that is kept in /var/cache.
trixie:  ## the core of the suite in Debian 13: PostgreSQL 17, Python 3.13, Django 6
	docker/trixie.sh make test TESTS="tests/next_run tests/source tests/mirror tests/sync \
		$(patsubst %,tests/install/test_%.py,attach backup migrations) \
		$(patsubst %,tests/ways/test_%.py,django_migrate django_models) \
		$(patsubst %,tests/handover/test_%.py,scheduler two_versions)"
	ENGINE=sql docker/trixie.sh make test TESTS="tests/source tests/mirror tests/sync/test_pending.py \
		tests/install/test_plain_role.py"

# And every case of the tests of which `make test` takes a share: every clock change, every pair of writes.
differential: provision  ## each engine a million times against Celery's parser, croniter and the other one: an hour
	ENGINE=plpython PYTHONPATH=docker $(bin)/python tests/differential.py
	ENGINE=sql PYTHONPATH=docker $(bin)/python tests/differential.py
	PYTHONPATH=docker $(bin)/python tests/differential_runs.py
	PYTHONPATH=docker $(bin)/python tests/differential_rows.py
	$(bin)/pytest -n 2 --whole tests/next_run/test_clock_changes.py tests/next_run/test_engines_runs.py \
		tests/next_run/test_engines_texts.py tests/sync/test_concurrency.py

soak: provision  ## three schedulers and an application behind PgBouncer, for ten minutes
	$(bin)/pytest -n 0 -s --soak 600 tests/handover/test_poolers.py -k soak

# In time on two cores: five to ten minutes; SIZES=1000,10000,1000000 as long, ADVANCES=10000000 a quarter of an hour.
bench: provision  ## what it costs beside its peers: tables, plots, docs/performance.md; TOPICS=, SIZES=
	$(bin)/python bench/run.py $(TOPICS) $(if $(SIZES),--sizes $(SIZES)) $(if $(ROUNDS),--rounds $(ROUNDS)) \
		$(if $(ADVANCES),--advances $(ADVANCES)) $(if $(RESULTS),--results $(RESULTS))

lint: provision
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy
	$(bin)/python tests/lint_sql.py
	$(bin)/hadolint docker/Dockerfile
	bash -n docker/*.sh .ci/run

dist: export SOURCE_DATE_EPOCH = $(or $(shell git log -1 --format=%ct 2>/dev/null),1735689600)
dist: provision  ## in dist/: sdist and wheel, as PyPI takes them, and PGXN's bundle; and the tests of all ways in
	rm -rf dist *.egg-info
	$(bin)/python -m build -q --no-isolation
	$(bin)/python -m pg_periodic_schedule.extension pgxn dist
	DIST=dist $(bin)/pytest -n 3 --dist loadfile tests/ways

# Of CREATE EXTENSION, for the server that pg_config is of; with DESTDIR= for who makes packages.
PG_CONFIG ?= pg_config
extensions = $(DESTDIR)$(shell $(PG_CONFIG) --sharedir)/extension
install:  ## the files of CREATE EXTENSION, on the database server: it needs Python 3.11, and no more
	@python3 -m pg_periodic_schedule.extension "$(extensions)"

uninstall:
	rm -f "$(extensions)"/pg_periodic_schedule.control "$(extensions)"/pg_periodic_schedule--*.sql \
		"$(extensions)"/pg_periodic_schedule_plpython3u.control "$(extensions)"/pg_periodic_schedule_plpython3u--*.sql

# Writes the newest revision, until it is released: CONTRIBUTING.md.  Until 1.0 there is nothing to freeze.
freeze:
	python3 -m pg_periodic_schedule.assemble freeze
	cd alembic/versions && sha256sum *.py */*.sql > frozen.sha256

revision:  ## of a release that changes the database: NAME=0002_queue RELEASE=1.1.0 MESSAGE=…
	python3 -m pg_periodic_schedule.assemble revision "$(NAME)" "$(RELEASE)" "$(MESSAGE)"

provision:
	@docker/provision.sh dev
