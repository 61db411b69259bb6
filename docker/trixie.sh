#!/usr/bin/env bash
# Runs a command in Debian 13, in a copy of this checkout: PostgreSQL 17, Python 3.13, Django 6.
#   trixie.sh COMMAND [ARGUMENTS]
# The tree is made by debootstrap the first time, by docker/provision.sh each time, and kept in /var/cache.
# As root, or as a user with sudo.  Mounts and processes are in namespaces, and gone with the command.
set -euo pipefail
cd "$(dirname "$0")/.."
tree=/var/cache/pg_periodic_schedule/trixie
debian=(--variant=minbase --include=ca-certificates,git trixie)
mirror=http://deb.debian.org/debian

say() { printf 'trixie: %s\n' "$*"; }

[ "$(id -u)" = 0 ] || exec sudo -E docker/trixie.sh "$@"
if ! unshare --mount --pid --fork true; then
    say "the tree needs mounts of its own: run it where root may mount (CAP_SYS_ADMIN)" >&2
    exit 1
fi
mkdir -p "$tree"
exec 9>"$tree.lock"
flock 9  # one at a time

if ! command -v debootstrap >/dev/null; then
    apt-get update -qq
    apt-get install -qq -y --no-install-recommends debootstrap >/dev/null
fi
if ! cmp -s <(echo "${debian[@]}" "$mirror") "$tree/made_of"; then
    say "debootstrap, in $tree"
    rm -rf --one-file-system "$tree"
    unshare --mount debootstrap "${debian[@]}" "$tree" "$mirror" \
        >"$tree.log" 2>&1 || { tail "$tree.log" >&2; exit 1; }
    echo "deb $mirror-security trixie-security main" >"$tree/etc/apt/sources.list.d/security.list"
    echo "${debian[@]}" "$mirror" >"$tree/made_of"  # last: it says "done"
fi

# What reaches the network here reaches it there.
for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt /etc/pip.conf; do
    [ ! -e "$file" ] || cp "$file" "$tree$file"
done
mkdir -p "$tree/src"
find "$tree/src" -mindepth 1 -maxdepth 1 ! -name .venv -exec rm -rf {} +
tar -c --exclude=./.venv --exclude-vcs . | tar -x --no-same-owner -C "$tree/src"

# The first process of its namespace: when it ends, so do servers that a test has left behind.
unshare --mount --pid --fork --kill-child bash -c '
    set -euo pipefail
    mount -t proc proc "$0/proc"
    mount -t tmpfs tmpfs "$0/dev/shm"
    mkdir -p "$0/dev/pts" && mount --bind /dev/pts "$0/dev/pts"
    LANG=C.UTF-8 chroot "$0" bash -c "cd /src && git init -q && docker/provision.sh dev && \"\$@\"" in_trixie "$@" 9>&-
' "$tree" "$@"
