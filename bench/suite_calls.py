# SPDX-License-Identifier: MIT
"""System calls of a message: syscalls (counted inside the server at full speed) and strace."""

import re
import shutil
import signal
import subprocess
import tempfile
import time

import programs
import report
import rounds
import serving


def strace_table(text):
    """{call: number} of the table that strace -c writes."""
    calls = {}
    for line in text.splitlines():
        match = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)\s*$", line)
        if match and match[2] != "total":
            calls[match[2]] = int(match[1])
    return calls


def load_simply(options, where, connections):
    """Messages of 64 bytes from the first moment on: the number finished."""
    result = programs.run_json([serving.load_program(options), *where, "--connections",
                                str(connections), "--seconds", str(options.seconds)],
                               options.load_cpu, options.seconds + 100)[0]
    return max(1, result["messages"])


def count_once(options, argv, connections):
    """System calls of a server at full speed, counted inside it."""
    library = programs.find_program(options.build, "bench_calls.so")
    with programs.call_counters(library) as (environment, read_counts), \
            programs.running(argv, options.server_cpu, environment=environment) as (_, where):
        messages = load_simply(options, where, connections)
        return {"messages": messages, "calls": read_counts()}


def trace_once(options, argv, connections):
    """System calls of a server, counted by strace."""
    with programs.running(argv, options.server_cpu) as (process, where), \
            tempfile.NamedTemporaryFile("r") as table:
        trace = programs.start(["strace", "-f", "-c", "-o", table.name, "-p", str(process.pid)],
                               options.load_cpu, stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.5)
            messages = load_simply(options, where, connections)
            trace.send_signal(signal.SIGINT)
            trace.wait(programs.STOP_SECONDS)
        finally:
            programs.stop(trace)
        return {"messages": messages, "calls": strace_table(table.read())}


def calls_rows(results):
    """Rows: server, calls of a message, the most frequent of them."""
    rows = []
    for name, taken in results.items():
        each = [{call: n / r["messages"] for call, n in r["calls"].items() if n}
                for r in taken if r]
        if not each:
            continue
        medians = {call: rounds.median([e.get(call, 0) for e in each]) for call in each[0]}
        most = sorted(medians.items(), key=lambda item: -item[1])[:5]
        rows.append([name, report.cell([sum(e.values()) for e in each]),
                     ", ".join(f"{call} {report.number(n)}" for call, n in most)])
    return rows


def measure(options, suite, title, count, measure_once):
    """`count` rounds with 50 connections."""
    servers = serving.present(options, programs.ECHO_SERVERS, far=False)
    results = rounds.interleave(count, list(servers),
                                lambda name: measure_once(options, servers[name][1], 50))
    report.print_table(title, ["server", "calls", "of which"], calls_rows(results))
    rounds.save(options, suite, {"50": {"title": title, "results": results}})


def suite_syscalls(options):
    if programs.find_program(options.build, "bench_calls.so") is None:
        print("left out: the suite syscalls (no bench_calls.so)")
        return
    measure(options, "syscalls", "system calls a message, 50 connections, 64 B", options.rounds,
            count_once)


def suite_strace(options):
    """One round: it shows which calls there are, the figures are those of syscalls."""
    if shutil.which("strace") is None:
        print("left out: the suite strace (not installed)")
        return
    measure(options, "strace", "system calls a message under strace, 50 connections, 64 B", 1,
            trace_once)
