#!/usr/bin/env bash
# Check a program that is linked with one adapter: it has that loop and no other, and runs.
# usage: linked.sh PROGRAM BACKEND [OTHER-BACKEND...]
set -euo pipefail

program=$1
backend=$2
shift 2

libraries=$(ldd "$program")
echo "$libraries"
if grep -q libanyc <<<"$libraries"; then # shared: the loops show
    grep -qw "$backend" <<<"${libraries//libevent_core/libevent}"
    for other in "$@"; do
        if grep -q "$other" <<<"$libraries"; then
            echo "linked with $backend, and has $other"
            exit 1
        fi
    done
fi
env -u ANYC_BACKEND_PATH "$program" "$backend"
