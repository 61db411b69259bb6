#!/usr/bin/env bash
# Installs what is missing, and nothing else (Debian 12, Ubuntu 24.04 or newer):
#   provision.sh server   PostgreSQL with PL/Python, and croniter for the server's Python
#   provision.sh venv     the project's Python packages, in .venv
#   provision.sh dev      both, and for the tests and the demo: Redis, RabbitMQ, PgBouncer, pg_cron, a
#                         clock that can be set, and an old application's packages, in .venv/old_stack
# Run by the Makefile, by .ci/run and by docker/Dockerfile.  As root, or as a user with sudo.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-dev}
libraries=/usr/local/lib/pg_periodic_schedule  # what plpython/requirements.txt names
python=/usr/bin/python3                         # the Python that PL/Python is linked with

say() { printf 'provision: %s\n' "$*"; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

updated=
apt_install() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
            missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "apt-get install ${missing[*]}"
    [ -n "$updated" ] || as_root apt-get update -qq
    updated=yes
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
}

install_server() {
    local version
    if [ ! -d /usr/lib/postgresql ]; then
        # The package would create and start a cluster that nobody asked for.
        local no_cluster=/etc/postgresql-common/createcluster.d/pg_periodic_schedule.conf
        as_root mkdir -p "$(dirname "$no_cluster")"
        echo 'create_main_cluster = false' | as_root tee "$no_cluster" >/dev/null
        apt_install postgresql
        as_root rm "$no_cluster"
    fi
    version=$(ls /usr/lib/postgresql | sort -n | tail -n 1)
    if [ "$version" -lt 15 ]; then
        say "PostgreSQL $version is too old: 15 or newer is needed" >&2
        exit 1
    fi
    apt_install "postgresql-plpython3-$version" python3-venv
    # Where US/Pacific and the like are a package of their own: the engine sql has no other zones.
    if apt-cache show tzdata-legacy >/dev/null 2>&1; then apt_install tzdata-legacy; fi
    if ! cmp -s plpython/requirements.txt "$libraries/requirements.txt"; then
        say "croniter and what else plpython/requirements.txt names, for $python, in $libraries"
        local venv site
        venv=$(mktemp -d)
        "$python" -m venv "$venv"
        as_root rm -rf "$libraries"
        as_root "$venv/bin/pip" install -q --no-compile --disable-pip-version-check \
            --root-user-action ignore --target "$libraries" -r plpython/requirements.txt
        rm -rf "$venv"
        site=$("$python" -c 'import site; print(site.getsitepackages()[0])')
        as_root mkdir -p "$site"
        echo "$libraries" | as_root tee "$site/pg_periodic_schedule.pth" >/dev/null
        as_root cp plpython/requirements.txt "$libraries/requirements.txt"  # last: it says "done"
    fi
    "$python" -c 'import babel, cron_descriptor, croniter, ephem'
}

# Is that environment there, and made of these files?  It keeps what they said.
is_made_of() { cmp -s <(cat "${@:2}") "$1/made_of"; }

install_venv() {
    local recipe=(pyproject.toml setup.py docker/venv.txt docker/sample/requirements.txt
        plpython/requirements.txt)
    apt_install make python3-venv
    if ! is_made_of .venv "${recipe[@]}"; then
        say "the project's Python packages, in .venv"
        rm -rf .venv
        "$python" -m venv .venv
        .venv/bin/pip install -q --disable-pip-version-check --root-user-action ignore \
            -e '.[celery]' -r docker/venv.txt
        cat "${recipe[@]}" >.venv/made_of
    fi
}

# As an application does it that is older than we are: it is there, and we are installed into it.
install_old_stack() {
    local recipe=(pyproject.toml setup.py docker/old_stack.txt) place=.venv/old_stack
    if ! is_made_of "$place" "${recipe[@]}"; then
        say "the oldest Django and Celery that are supported, in $place"
        rm -rf "$place"
        "$python" -m venv --without-pip "$place"
        local pip=(.venv/bin/pip --python "$place/bin/python" install -q
            --disable-pip-version-check --root-user-action ignore)
        "${pip[@]}" -r docker/old_stack.txt
        "${pip[@]}" -e '.[celery]'
        cat "${recipe[@]}" >"$place/made_of"
    fi
}

install_test_tools() {
    local version
    version=$(ls /usr/lib/postgresql | sort -n | tail -n 1)
    local services=(redis-server rabbitmq-server pgbouncer) missing=
    for service in "${services[@]}"; do
        dpkg-query -W -f '${db:Status-Status}' "$service" 2>/dev/null | grep -qx installed || missing=yes
    done
    # The packages would start brokers and a pooler that nobody asked for: Debian's policy-rc.d says no
    # for them.
    if [ -n "$missing" ] && [ ! -e /usr/sbin/policy-rc.d ]; then
        trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' | as_root tee /usr/sbin/policy-rc.d >/dev/null
        as_root chmod +x /usr/sbin/policy-rc.d
        apt_install "${services[@]}"
        as_root rm -f /usr/sbin/policy-rc.d
    fi
    apt_install "${services[@]}" libfaketime "postgresql-$version-cron"
}

case $what in
    server) install_server ;;
    venv) install_venv ;;
    dev) install_server; install_venv; install_old_stack; install_test_tools ;;
    *) sed -n '2,7s/^# //p' "$0" >&2; exit 2 ;;
esac
