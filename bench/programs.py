# SPDX-License-Identifier: MIT
"""What the benchmarks start and how: which programs there are, pinning, ending them again.

Every process is ended by its own handle, in the reverse order of starting, also after an error.
"""

import contextlib
import dataclasses
import functools
import json
import os
import pathlib
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import time

BENCH = pathlib.Path(__file__).resolve().parent
START_SECONDS = 10
STOP_SECONDS = 5

# What calls.c counts, in the order of its enum.
CALLS = ["epoll_wait", "epoll_ctl", "read", "write", "ioctl", "timer"]


class Failed(Exception):
    """A program did not do what it was started for; the text says which and how."""


class Missing(Exception):
    """A program is not built or not installed; the text says which."""


@dataclasses.dataclass(frozen=True)
class Server:
    """One server to be measured."""

    name: str
    loop: str  # the library whose raw programs it is held to
    argv: tuple
    raw: bool = False
    plain: str = ""  # the same server without a timeout around each receive
    far: bool = False  # another run-time, for scale: takes part in few cases
    workers: bool = False  # has threads that may use more CPUs than one


def _anyc(backend, *argv):
    """A server of examples/ on a backend, without and with a timeout around each receive."""
    name = f"anyc-{backend}"
    argv = (*argv, "--backend", backend, "--timeout")
    return [Server(name, backend, (*argv, "0")),  # http_server has one unless told otherwise
            Server(f"{name}+timeout", backend, (*argv, "30"), plain=name)]


def _anyio(backend):
    name = f"anyio-{backend}"
    argv = ("echo_anyio.py", "--backend", backend)
    return [Server(name, "python", argv, far=True),
            Server(f"{name}+timeout", "python", (*argv, "--timeout", "30"), plain=name, far=True)]


# Over TCP or, with --unix, over UNIX sockets.
ECHO_SERVERS = [
    Server("epoll", "epoll", ("echo_epoll",), raw=True),
    Server("uv", "libuv", ("echo_uv",), raw=True),
    Server("uv-try", "libuv", ("echo_uv", "--try-write"), raw=True),
    Server("event", "libevent", ("echo_event",), raw=True),
    Server("bufferevent", "libevent", ("echo_event", "--bufferevent"), raw=True),
    *_anyc("libuv", "echo_server"),
    *_anyc("libevent", "echo_server"),
    Server("st", "st", ("echo_st",), far=True),
    Server("st+timeout", "st", ("echo_st", "--timed"), plain="st", far=True),
    Server("go", "go", ("net_go", "echo"), far=True),
    Server("go+timeout", "go", ("net_go", "echo", "--timeout", "30"), plain="go", far=True),
    *_anyio("uvloop"),
    *_anyio("asyncio"),
    *_anyio("trio"),
]

UDP_SERVERS = [
    Server("epoll", "epoll", ("echo_epoll", "--udp"), raw=True),
    Server("uv-try", "libuv", ("udp_uv",), raw=True),
    Server("event", "libevent", ("echo_event", "--udp"), raw=True),
    *_anyc("libuv", "echo_server", "--udp"),
    *_anyc("libevent", "echo_server", "--udp"),
    Server("anyc-libuv+many", "libuv", ("udp_many", "--backend", "libuv")),
    Server("anyc-libevent+many", "libevent", ("udp_many", "--backend", "libevent")),
    Server("go", "go", ("net_go", "echo", "--udp"), far=True),
    Server("go+timeout", "go", ("net_go", "echo", "--udp", "--timeout", "30"), plain="go",
           far=True),
]

HTTP_SERVERS = [
    Server("uv-try", "libuv", ("http_uv",), raw=True),
    *_anyc("libuv", "http_server"),
    *_anyc("libevent", "http_server"),
    Server("go", "go", ("net_go", "http"), far=True),
]

# Each also with --root FOLDER.
FILE_SERVERS = [
    Server("sendfile", "epoll", ("file_epoll",), raw=True),
    Server("sendfile-keep", "epoll", ("file_epoll", "--keep"), raw=True),
    *_anyc("libuv", "http_server"),
    *_anyc("libevent", "http_server"),
]

TLS_FILES = [str(BENCH.parent / "tests/support/tls" / name)
             for name in ("localhost.pem", "localhost.key")]


def _anyc_tls(backend):
    """Without and with worker threads for handshakes."""
    name = f"anyc-{backend}"
    argv = ("echo_server", "--tls", *TLS_FILES, "--backend", backend, "--tls-workers")
    return [Server(name, backend, (*argv, "off")),
            Server(f"{name}+workers", backend, (*argv, "on"), workers=True)]


TLS_SERVERS = [
    Server("mbedtls", "epoll", ("tls_epoll", "--tls", *TLS_FILES), raw=True),
    *_anyc_tls("libuv"),
    *_anyc_tls("libevent"),
]

# Programs that take `--list`, and names of measures to take; each prints one JSON line a measure.
MICRO_PROGRAMS = [
    ("anyc-libuv", ["micro", "--backend", "libuv"]),
    ("anyc-libevent", ["micro", "--backend", "libevent"]),
    ("go", ["micro_go"]),
    ("boost", ["micro_boost"]),
    ("st", ["micro_st"]),
    ("pthread", ["micro_pthread"]),
    ("posix_spawn", ["micro_spawn"]),
    ("fork", ["micro_fork"]),
]


def choose_cpus():
    """The CPU for the measured program and the one for the load generator."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) == 1:
        print("one CPU only: server and load generator share it, read the figures with care")
    return cpus[0], cpus[-1]


def server_cpus(options, server):
    """One CPU; with worker threads all but the load's, or all if that would be one only."""
    if not server.workers:
        return {options.server_cpu}
    everything = os.sched_getaffinity(0)
    rest = everything - {options.load_cpu}
    return rest if len(rest) > 1 else everything


def find_program(build, name):
    """The path of a built program, or None."""
    for folder in ("bench", "bench/peers", "examples"):
        path = build / folder / name
        if path.is_file() and os.access(path, os.X_OK):
            return path
    return None


@functools.cache
def find_python(modules):
    """A Python that can import these; Missing if there is none."""
    for python in (sys.executable, "/usr/bin/python3"):
        run = subprocess.run([python, "-W", "ignore", "-c", f"import {modules}"],
                             capture_output=True, timeout=30)
        if run.returncode == 0:
            return python
    raise Missing(f"no python3 here has {modules}")


def resolve(build, argv):
    """argv with its program's path; Missing if it is not there."""
    if argv[0].endswith(".py"):
        modules = [name for name in ("anyio", "uvloop", "trio") if name in (*argv, "anyio")]
        python = find_python(", ".join(modules))
        return [python, "-W", "ignore", str(BENCH / "peers" / argv[0]), *argv[1:]]
    path = find_program(build, argv[0])
    if path is None:
        raise Missing(f"no program {argv[0]} in {build.name}")
    return [str(path), *argv[1:]]


def build_go(build, name="micro", folder="peers"):
    """Compile NAME.go to NAME_go if Go is here. If not, it is reported as missing later."""
    go = shutil.which("go")
    source = BENCH / folder / f"{name}.go"
    target = build / "bench" / f"{name}_go"
    if go is None or not source.exists():
        return
    if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ, GO111MODULE="off", GOFLAGS="", GOTOOLCHAIN="local")
    run = subprocess.run([go, "build", "-o", str(target), str(source)], env=environment,
                         capture_output=True, text=True, timeout=300)
    if run.returncode != 0:
        print(f"{source.name} does not compile: {run.stderr.strip()}")


def start(argv, cpus, urgent=False, **options):
    """Start a program pinned to a CPU, or to a set. `urgent`: before all others, if permitted."""
    def prepare():
        os.sched_setaffinity(0, cpus if isinstance(cpus, set) else {cpus})
        if urgent:
            with contextlib.suppress(PermissionError):
                os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))

    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, text=True, preexec_fn=prepare,
                            **options)


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


def read_line(process, failure):
    """The first line that a program prints; Failed with that text if none comes."""
    deadline = time.monotonic() + START_SECONDS
    text = ""
    while not text.endswith("\n"):
        ready, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
        piece = os.read(process.stdout.fileno(), 4096).decode() if ready else ""
        if not piece:
            raise Failed(failure)
        text += piece
    return text.splitlines()[0]


def read_announcement(process):
    """Where it listens: HOST:PORT or a path."""
    first = read_line(process, "does not start listening")
    if not first.startswith("listening on "):
        raise Failed(f"announces {first!r}")
    return first.removeprefix("listening on ")


@contextlib.contextmanager
def running(argv, cpus, unix=False, environment=None):
    """A server on a free port or a UNIX socket: yields its process and how to reach it."""
    with tempfile.TemporaryDirectory() as folder:
        where = ["--unix", f"{folder}/socket"] if unix else ["--port", "0"]
        process = start([*argv, *where], cpus, stdout=subprocess.PIPE,
                        env=dict(os.environ, **(environment or {})))
        try:
            announced = read_announcement(process)
            yield process, where if unix else ["--port", announced.rpartition(":")[2]]
        finally:
            stop(process)


def cpu_ns(pid):
    """Processor time of a process: the clock that clock_getcpuclockid(3) names."""
    return time.clock_gettime_ns((~pid << 3) | 2)


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


def start_json(argv, cpus, urgent=False):
    """Start a program whose results finish_json() waits for."""
    return start(argv, cpus, urgent, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish_json(process, timeout):
    """Wait for the end of a program; the JSON lines it printed."""
    name = pathlib.Path(process.args[0]).name
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        raise Failed(f"{name}: no end after {timeout} s") from None
    finally:
        stop(process)
    if process.returncode != 0:
        raise Failed(f"{name}: exit {process.returncode}: {err.strip()[-300:]}")
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def run_json(argv, cpu, timeout):
    """Run a program to its end; the JSON lines it printed."""
    return finish_json(start_json(argv, cpu), timeout)
