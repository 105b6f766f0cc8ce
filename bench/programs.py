# SPDX-License-Identifier: MIT
"""What the benchmarks start and how: which programs there are, pinning, ending them again.

Every process is ended by its own handle, in the reverse order of starting, also after an error.
"""

import contextlib
import json
import os
import pathlib
import select
import shutil
import struct
import subprocess
import tempfile
import time

BENCH = pathlib.Path(__file__).resolve().parent
START_SECONDS = 10
STOP_SECONDS = 5

# What calls.c counts, in the order of its enum.
CALLS = ["epoll_wait", "epoll_ctl", "read", "write", "ioctl", "timer"]


class Failed(Exception):
    """A program did not do what it was started for; the text says which and how."""


class Server:
    """One echo server to be measured. `loop` names the library whose raw programs it is held to."""

    def __init__(self, name, loop, raw, *argv):
        self.name, self.loop, self.raw, self.argv = name, loop, raw, argv


ECHO_SERVERS = [
    Server("epoll", "epoll", True, "echo_epoll"),
    Server("uv", "libuv", True, "echo_uv"),
    Server("uv-try", "libuv", True, "echo_uv", "--try-write"),
    Server("event", "libevent", True, "echo_event"),
    Server("bufferevent", "libevent", True, "echo_event", "--bufferevent"),
    Server("anyc-libuv", "libuv", False, "echo_server", "--backend", "libuv"),
    Server("anyc-libevent", "libevent", False, "echo_server", "--backend", "libevent"),
]

# Programs that take `--list`, and names of measures to take; each prints one JSON line a measure.
MICRO_PROGRAMS = [
    ("anyc-libuv", ["micro", "--backend", "libuv"]),
    ("anyc-libevent", ["micro", "--backend", "libevent"]),
    ("go", ["micro_go"]),
]


def choose_cpus():
    """The CPU for the measured program and the one for the load generator."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) == 1:
        print("one CPU only: server and load generator share it, read the figures with care")
    return cpus[0], cpus[-1]


def find_program(build, name):
    """The path of a built program, or None."""
    for folder in ("bench", "bench/peers", "examples"):
        path = build / folder / name
        if path.is_file() and os.access(path, os.X_OK):
            return path
    return None


def resolve(build, argv):
    """argv with its program's path, or None."""
    path = find_program(build, argv[0])
    if path is None:
        return None
    return [str(path), *argv[1:]]


def build_go(build):
    """Compile micro.go if Go is here. Without it the program is reported as missing later."""
    go = shutil.which("go")
    source = BENCH / "peers" / "micro.go"
    target = build / "bench" / "micro_go"
    if go is None or not source.exists():
        return
    if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ, GO111MODULE="off", GOFLAGS="", GOTOOLCHAIN="local")
    run = subprocess.run([go, "build", "-o", str(target), str(source)], env=environment,
                         capture_output=True, text=True, timeout=300)
    if run.returncode != 0:
        print(f"micro.go does not compile: {run.stderr.strip()}")


def start(argv, cpu, **options):
    """Start a program pinned to one CPU."""
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, text=True,
                            preexec_fn=lambda: os.sched_setaffinity(0, {cpu}), **options)


def stop(process):
    """End a process that this run started, and reap it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()


def read_announcement(process):
    """The port of "listening on HOST:PORT"."""
    deadline = time.monotonic() + START_SECONDS
    text = ""
    while not text.endswith("\n"):
        ready, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
        piece = os.read(process.stdout.fileno(), 4096).decode() if ready else ""
        if not piece:
            raise Failed("does not start listening")
        text += piece
    first = text.splitlines()[0]
    if not first.startswith("listening on "):
        raise Failed(f"announces {first!r}")
    return int(first.rpartition(":")[2])


@contextlib.contextmanager
def echo_server(argv, cpu, environment=None):
    """A running server on a free port: yields its process and its port."""
    process = start([*argv, "--port", "0"], cpu, stdout=subprocess.PIPE,
                    env=dict(os.environ, **(environment or {})))
    try:
        yield process, read_announcement(process)
    finally:
        stop(process)


@contextlib.contextmanager
def call_counters(library):
    """Yields the environment that lets a server count its calls, and a function that reads them."""
    size = struct.calcsize(f"{len(CALLS)}Q")
    with tempfile.NamedTemporaryFile() as file:
        file.truncate(size)

        def read_counts():
            data = pathlib.Path(file.name).read_bytes()
            return dict(zip(CALLS, struct.unpack(f"{len(CALLS)}Q", data)))

        yield {"LD_PRELOAD": str(library), "BENCH_CALLS": file.name}, read_counts


def run_json(argv, cpu, timeout):
    """Run a program to its end; the JSON lines it printed."""
    process = start(argv, cpu, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        raise Failed(f"{argv[0]}: no end after {timeout} s") from None
    finally:
        stop(process)
    if process.returncode != 0:
        raise Failed(f"{argv[0]}: exit {process.returncode}: {err.strip()[-300:]}")
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]
