#!/usr/bin/env bash
# Build peer.go: usage: build.sh OUT. Needs no network; exit code 77: there is no Go here.
set -euo pipefail

if ! command -v go >/dev/null; then
    echo 'SKIPPED: there is no go on this machine' >&2
    exit 77
fi
cd "$(dirname "${BASH_SOURCE[0]}")"
env GO111MODULE=off GOFLAGS='' GOPROXY=off GOTOOLCHAIN=local go build -o "$1" peer.go
