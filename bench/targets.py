# SPDX-License-Identifier: MIT
"""What anyc is held to, and what was measured of it: rows of docs/performance.md."""

import dataclasses

import report
import rounds


@dataclasses.dataclass
class Target:
    """`measure(results, backend)` answers the values of the rounds, or None: not measured."""

    text: str
    measure: object
    bar: float = None
    stretch: float = None
    more: bool = False  # more is better
    unit: str = ""


def of(results, suite, case, server, key="server_cpu_us"):
    """One figure of each round; empty if it was not measured."""
    found = results.get(suite, {}).get(case, {}).get("results", {}).get(server, [])
    return rounds.column(found, key)


def ratio(values, base):
    """Round by round."""
    return [v / b if v is not None and b else None for v, b in zip(values, base)]


RAW = {"libuv": ["uv", "uv-try"], "libevent": ["event", "bufferevent"]}
LIBRARY_WRITES = {"libuv": "uv", "libevent": "bufferevent"}  # what the library's guide uses


def over_raw(suite, case):
    """CPU time of a message, best raw program on the same loop = 1."""
    def measure(results, backend):
        raw = [of(results, suite, case, name) for name in RAW[backend]]
        best = min(raw, key=rounds.median)
        return ratio(of(results, suite, case, f"anyc-{backend}"), best)
    return measure


def over_library(case):
    return lambda results, backend: ratio(of(results, "echo", case, f"anyc-{backend}"),
                                          of(results, "echo", case, LIBRARY_WRITES[backend]))


def over_untimed(suite, case):
    return lambda results, backend: ratio(of(results, suite, case, f"anyc-{backend}+timeout"),
                                          of(results, suite, case, f"anyc-{backend}"))


def rate_over(suite, case, server, variant=""):
    return lambda results, backend: ratio(
        of(results, suite, case, f"anyc-{backend}{variant}", "rate"),
        of(results, suite, case, server, "rate"))


def files_over_raw(results, backend):
    """Files a second, with a timeout as always; the better of the raw programs = 1."""
    raw = [of(results, "files", "1 MiB", name, "rate") for name in ("sendfile", "sendfile-keep")]
    best = max((rates for rates in raw if report.present(rates)), key=rounds.median, default=[])
    return ratio(of(results, "files", "1 MiB", f"anyc-{backend}+timeout", "rate"), best)


def cpu_over(suite, case, server, variant=""):
    return lambda results, backend: ratio(
        of(results, suite, case, f"anyc-{backend}{variant}"), of(results, suite, case, server))


def resumed_over_full(results, backend):
    return ratio(*(of(results, "tls", case, f"anyc-{backend}", "rate")
                   for case in ("resumed", "full")))


def quiet_ms(variant):
    """What one in a hundred echoes of a quiet connection takes longer than, in milliseconds."""
    return lambda results, backend: [us and us / 1000 for us in of(
        results, "tls", "storm", f"anyc-{backend}{variant}", "p99_us")]


def bytes_a_connection(results, backend):
    (case,) = results.get("memory", {None: None})
    return of(results, "memory", case, f"anyc-{backend}", "bytes_a_connection")


def calls_a_message(results, backend):
    found = results.get("syscalls", {}).get("50", {}).get("results", {}).get(f"anyc-{backend}", [])
    return [r and sum(r["calls"].values()) / r["messages"] for r in found]


def micro_values(results, measure, name):
    return rounds.column(results.get("micro", {}).get(measure, {}).get(name, []), "value")


def micro(measure):
    """The figure itself."""
    return lambda results, backend: micro_values(results, measure, f"anyc-{backend}")


def micro_over(measure, *peers):
    """The figure over that of the best of some peers."""
    def measured(results, backend):
        taken = [v for v in (micro_values(results, measure, peer) for peer in peers)
                 if report.present(v)]
        best = min(taken, key=rounds.median, default=[])
        return ratio(micro_values(results, measure, f"anyc-{backend}"), best)
    return measured


def micro_over_own(measure, base):
    return lambda results, backend: ratio(micro_values(results, measure, f"anyc-{backend}"),
                                          micro_values(results, base, f"anyc-{backend}"))


def whole_seconds(measure, count):
    return lambda results, backend: [v and v * count / 1e9 for v in
                                     micro_values(results, measure, f"anyc-{backend}")]


LOCK_PEERS = ("st", "boost", "go")
STREAM_PEERS = ("go", "boost")

# The CPU time is the steadier measure of the same thing: 1.03 is 1 / 0.97.
TLS_TARGETS = [
    Target("echo over TLS, 16 KiB, 50 connections, messages a second; raw mbedTLS = 1",
           rate_over("tls", "16384 x 50", "mbedtls"), 0.97, more=True),
    Target("the same, CPU time", cpu_over("tls", "16384 x 50", "mbedtls"), 1.03),
    Target("the same, 64 KiB, messages a second", rate_over("tls", "65536 x 50", "mbedtls"), 0.97,
           more=True),
    Target("the same, 64 KiB, CPU time", cpu_over("tls", "65536 x 50", "mbedtls"), 1.03),
    Target("the same, 256 B, CPU time", cpu_over("tls", "256 x 50", "mbedtls")),
    Target("full TLS handshakes a second, one thread; raw mbedTLS = 1",
           rate_over("tls", "full", "mbedtls"), 0.97, more=True),
    Target("the same, CPU time", cpu_over("tls", "full", "mbedtls"), 1.03),
    Target("the same, handshakes a second with worker threads",
           rate_over("tls", "full", "mbedtls", "+workers"), 1, more=True),
    Target("TLS handshakes with resumption a second, one thread; full handshakes = 1",
           resumed_over_full, 5, more=True),
    Target("the same, CPU time; raw mbedTLS = 1", cpu_over("tls", "resumed", "mbedtls")),
    Target("64 B over a quiet TLS connection while 50 others shake hands again and again, p99",
           quiet_ms("+workers"), 2, unit="ms"),
    Target("the same without worker threads", quiet_ms(""), unit="ms"),
]

def over_find(pattern, key):
    return lambda results, backend: ratio(of(results, "search", pattern, f"anyc-{backend}", key),
                                          of(results, "search", pattern, "find", key))


TARGETS = [
    Target("yield between 2 tasks; Go = 1", micro_over("yield_2", "go"), 0.12, 0.06),
    Target("yield among 1,000 tasks; between 2 = 1", micro_over_own("yield_1000", "yield_2"),
           2, 1.2),
    Target("yield among 100,000 tasks; between 2 = 1", micro_over_own("yield_100000", "yield_2"),
           25, 18),
    Target("start a task and wait for its end; Go = 1", micro_over("spawn_join", "go"),
           0.10, 0.045),
    Target("start 100,000 tasks, warm; Go = 1", micro_over("spawn_warm", "go"), 0.35, 0.25),
    Target("start 100,000 tasks, cold; Go = 1", micro_over("spawn_cold", "go"), 1.5, 1.0),
    Target("memory stream of size 0; best of Go and Boost.Fiber = 1",
           micro_over("memory_stream_0", *STREAM_PEERS), 0.10, 0.05),
    Target("memory stream of size 128; best of Go and Boost.Fiber = 1",
           micro_over("memory_stream_128", *STREAM_PEERS), 0.35, 0.25),
    Target("lock, free; best of State Threads, Boost.Fiber, Go = 1",
           micro_over("lock_free", *LOCK_PEERS), 1.3, 0.5),
    Target("lock, contended; best of State Threads, Boost.Fiber, Go = 1",
           micro_over("lock_contended", *LOCK_PEERS), 0.12, 0.06),
    Target("100,000 sleeps, CPU time; Go = 1", micro_over("sleep", "go"), 0.5, 0.3),
    Target("a timeout around nothing; Go's context.WithTimeout = 1",
           micro_over("timeout_noop", "go"), 0.08, 0.015),
    Target("cancel 100,000 blocked tasks; Go = 1", micro_over("cancel", "go"), 0.4, 0.25),
    Target("a sleeping task with its page tables, stack of 64 KiB", micro("task_memory_100k_64k"),
           4450, 4365, unit="bytes"),
    Target("a sleeping task with its page tables, stack of 256 KiB", micro("task_memory_100k"),
           4850, 4750, unit="bytes"),
    Target("a million tasks started, asleep, cancelled", whole_seconds("million", 1000000), 6, 2,
           unit="s"),
    *(Target(f"{what}; hand-over by condition variables = 1", micro_over(measure, "pthread"), 1.2)
      for what, measure in (("a call in a worker thread", "to_thread"),
                            ("a call from there into the loop", "from_thread"),
                            ("a call through a blocking portal", "portal_call"))),
    Target("`anyc_run` of an empty main; State Threads' start and stop = 1",
           micro_over("run_empty", "st"), 0.5, 0.2),
    Target("start a program and wait for its end; `posix_spawn` and `waitpid` = 1",
           micro_over("process", "posix_spawn"), 1.1),
    Target("echo 64 B, 50 connections, CPU time of a message; best raw program on the same "
           "loop = 1", over_raw("echo", "64 x 50"), 1.05, 0.98),
    *(Target(f"the same, {n} connections", over_raw("echo", f"64 x {n}"), 1.12, 1.03)
      for n in (1000, 10000)),
    *(Target(f"the same, {n} connections; plain `uv_write`, bufferevent = 1",
             over_library(f"64 x {n}"), 0.80, 0.70) for n in (50, 1000, 10000)),
    *(Target(f"the same, {n} connections, a timeout around every receive; without = 1",
             over_untimed("echo", f"64 x {n}"), 1.02, 1.01) for n in (50, 1000, 10000)),
    Target("echo 64 B, 50 connections, messages a second; AnyIO on uvloop = 1",
           rate_over("echo", "64 x 50", "anyio-uvloop"), 2.7, 3.0, more=True),
    Target("HTTP, 50 connections, requests a second; raw libuv responder = 1",
           rate_over("http", "50", "uv-try"), 0.90, 1.0, more=True),
    Target("the same, each request with a timeout", rate_over("http", "50", "uv-try", "+timeout"),
           0.90, 1.0, more=True),
    Target("the same; Go's net/http = 1", rate_over("http", "50", "go"), more=True),
    Target("`http_server --root`, a file of 1 MiB, 8 connections, files a second; best raw program "
           "with sendfile = 1", files_over_raw, 0.90, more=True),
    Target("a connection with one echo, CPU time; best raw program on the same loop = 1",
           over_raw("connect", "50"), 1.08, 1.0),
    Target("echo over UNIX sockets, 50 connections, CPU time; best raw program on the same "
           "loop = 1", over_raw("unix", "64 x 50")),
    Target("echo by UDP, 50 clients, CPU time; best raw program on the same loop = 1",
           over_raw("udp", "64 x 50")),
    Target("the same, messages a second; `uv_udp` = 1", rate_over("udp", "64 x 50", "uv-try"),
           0.97, more=True),
    Target("the same, several datagrams a call",
           rate_over("udp", "64 x 50", "uv-try", "+many"), 1, more=True),
    Target("echo 64 KiB, 50 connections, messages a second; raw epoll = 1",
           rate_over("echo", "65536 x 50", "epoll"), 0.98, 1.0, more=True),
    Target("memory of an idle connection of `echo_server`", bytes_a_connection, 9216, 5120,
           unit="bytes"),
    Target("system calls of an echoed message, 50 connections", calls_a_message, 2.1, 2.05),
    Target("`rglob(\"*\")` over 200,000 files; `find DIR` = 1", over_find("*", "ms"), 1.5, 1.0),
    Target("the same, CPU time", over_find("*", "cpu_ms"), 1.5, 1.0),
    Target("`rglob(\"*.c\")` over 200,000 files; `find DIR -name '*.c'` = 1",
           over_find("*.c", "ms"), 1.5, 1.0),
    Target("the same, CPU time", over_find("*.c", "cpu_ms"), 1.5, 1.0),
    *TLS_TARGETS,
]


def cell(target, values):
    """The measured spread, marked if it misses the bar."""
    values = report.present(values)
    if not values:
        return "-"
    median = report.spread(values)["median"]
    bar = median if target.bar is None else target.bar
    missed = median < bar if target.more else median > bar
    text = report.cell(values) + (f" {target.unit}" if target.unit else "")
    return f"{text}, **misses the bar**" if missed else text


def table(results, targets=None):
    """Rows: target, bar, stretch, on libuv, on libevent."""
    rows = []
    for target in targets or TARGETS:
        sign = "≥" if target.more else "≤"
        limits = [f"{sign} {limit:g}" if limit is not None else "" for limit in
                  (target.bar, target.stretch)]
        rows.append([target.text, *limits,
                     *(cell(target, target.measure(results, backend)) for backend in RAW)])
    return ["target", "bar", "stretch", "measured on libuv", "on libevent"], rows
