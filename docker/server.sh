#!/usr/bin/env bash
# A throw-away PostgreSQL server, for the demo and the tests.  Postgres refuses to run as root: as
# root it is run by user postgres.
#   server.sh start DIRECTORY PORT [OPTIONS]   makes the cluster in DIRECTORY, listening on 127.0.0.1:PORT
#   server.sh crash DIRECTORY                  stops it without a checkpoint and starts it again
#   server.sh stop DIRECTORY                   stops it and removes the directory
set -euo pipefail
action=$1 directory=$2
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)

unprivileged() {
    if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

case $action in
    start)
        port=$3
        mkdir -p "$directory"
        [ "$(id -u)" != 0 ] || chown postgres: "$directory"
        unprivileged "$bin/initdb" -D "$directory/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 \
            --no-sync >"$directory/initdb.log"
        # Nothing in it outlives it, so nothing need be flushed to disk.
        options="-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$directory"
        options+=" -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
        options+=" -c max_prepared_transactions=20 ${4:-}"
        unprivileged "$bin/pg_ctl" start -s -w -D "$directory/data" -l "$directory/server.log" -o "$options"
        ;;
    crash)
        unprivileged "$bin/pg_ctl" restart -s -w -m immediate -D "$directory/data" -l "$directory/server.log"
        ;;
    stop)
        unprivileged "$bin/pg_ctl" stop -s -w -m immediate -D "$directory/data"
        rm -rf "$directory"
        ;;
esac
