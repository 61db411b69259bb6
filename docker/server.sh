#!/usr/bin/env bash
# A throw-away PostgreSQL server, for the demo and the tests.  Postgres refuses to run as root: as
# root it is run by user postgres.
#   server.sh start DIRECTORY PORT [OPTIONS]   makes the cluster in DIRECTORY, listening on 127.0.0.1:PORT
#   server.sh crash DIRECTORY                  stops it without a checkpoint and starts it again
#   server.sh stop DIRECTORY                   stops it and removes the directory
# In the environment: with ENGINE=sql it is one without PL/Python, and with EXTENSION=FOLDER it has the
# extensions whose files are there.  Its programs are then in DIRECTORY/tree.
set -euo pipefail
action=$1 directory=$2
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)

unprivileged() {
    if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

# Programs find libraries and extensions by their own place: beside copies of them there may be others.
make_tree() {
    local tree lib=${bin%/bin}/lib share=/usr/share/postgresql/${bin//[!0-9]/}
    tree=$(mktemp -d)  # on a disk: programs may not run from /dev/shm everywhere
    chmod 755 "$tree"
    mkdir -p "$tree/${lib#/usr/}" "$tree/${share#/usr/}"
    cp -RL "$bin" "$tree/${bin#/usr/}"
    cp -rs "$lib/." "$tree/${lib#/usr/}"
    cp -rs "$share/." "$tree/${share#/usr/}"
    if [ "${ENGINE:-}" = sql ]; then find "$tree" -name '*plpython3*' -prune -exec rm -r {} +; fi
    if [ -n "${EXTENSION:-}" ]; then cp "$EXTENSION"/* "$tree/${share#/usr/}/extension"; fi
    ln -s "$tree" "$directory/tree"
}

programs() {
    local ours="$directory/tree/${bin#/usr/}"
    if [ -d "$ours" ]; then echo "$ours"; else echo "$bin"; fi
}

case $action in
    start)
        port=$3
        mkdir -p "$directory"
        [ "$(id -u)" != 0 ] || chown postgres: "$directory"
        if [ "${ENGINE:-}" = sql ] || [ -n "${EXTENSION:-}" ]; then make_tree; fi
        unprivileged "$(programs)/initdb" -D "$directory/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 \
            --no-sync >"$directory/initdb.log"
        # Nothing in it outlives it, so nothing need be flushed to disk.
        options="-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$directory"
        options+=" -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
        options+=" -c max_prepared_transactions=20 ${4:-}"
        unprivileged "$(programs)/pg_ctl" start -s -w -D "$directory/data" -l "$directory/server.log" -o "$options"
        ;;
    crash)
        unprivileged "$(programs)/pg_ctl" restart -s -w -m immediate -D "$directory/data" -l "$directory/server.log"
        ;;
    stop)
        unprivileged "$(programs)/pg_ctl" stop -s -w -m immediate -D "$directory/data"
        rm -rf "$(realpath -q "$directory/tree")" "$directory"
        ;;
esac
