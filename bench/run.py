#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run the benchmarks: ./dev bench [suite ...] [options].

Suites: echo (CPU time a message, rate, latency), connect (connections a second), memory (bytes per
idle connection), syscalls (calls a message at full speed), strace (the same counted by strace, all
calls but slowed down), micro (tasks, streams, locks ...), growth (micro measures at several sizes).
Without a name: all of them.

Rounds are interleaved: every program once, then every program again. Ratios are taken within a
round. The measured program has one CPU, the load generator another.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import programs
import report

GROWTH = {  # micro measures whose cost for one must not depend on how many there are
    "yield": (10, 1000, 10000, 100000),
    "spawn_cold": (1000, 10000, 100000, 300000),
    "spawn_warm": (1000, 10000, 100000, 300000),
    "sleep": (1000, 10000, 100000, 300000),
    "cancel": (1000, 10000, 100000, 300000),
    "event_wake_all": (10, 1000, 10000, 100000),
    "memory_stream": (1, 16, 256, 4096),
    "task_memory": (1000, 10000, 100000, 300000),
}


def numbers(text):
    return [int(part) for part in text.split(",")]


def parse_arguments(argv):
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", nargs="*", help=", ".join(SUITES))
    parser.add_argument("--build", default="build/release", help="build folder [%(default)s]")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.8, help="of one measurement")
    parser.add_argument("--warmup", type=float, default=0.3, help="seconds before it")
    parser.add_argument("--connections", type=numbers, default=[1, 50, 1000, 10000])
    parser.add_argument("--sizes", type=numbers, default=[64, 65536], help="bytes of a message")
    parser.add_argument("--in-flight", type=numbers, default=[1, 50], help="of the connect suite")
    parser.add_argument("--only", help="programs, separated by commas")
    parser.add_argument("--measure", help="micro measures, separated by commas")
    parser.add_argument("--base", help="what ratios refer to [epoll; micro: go]")
    parser.add_argument("--quick", action="store_true", help="one short round: does it all work?")
    options = parser.parse_args(argv)
    unknown = [name for name in options.suite if name not in SUITES]
    if unknown:
        parser.error(f"no suite {', '.join(unknown)}; there are {', '.join(SUITES)}")
    if options.quick:
        options.rounds, options.seconds, options.warmup = 1, 0.2, 0.1
    options.build = programs.BENCH.parent / options.build
    options.server_cpu, options.load_cpu = programs.choose_cpus()
    options.left_out = set()
    return options


def wanted(options, name):
    return options.only is None or name in options.only.split(",")


def present(options, candidates):
    """(candidate, argv) of what is built, in order; one line, once, for each that is not."""
    found = []
    for candidate, name, argv in candidates:
        if not wanted(options, name):
            continue
        resolved = programs.resolve(options.build, argv)
        if resolved is not None:
            found.append((candidate, resolved))
        elif name not in options.left_out:
            options.left_out.add(name)
            print(f"left out: {name} (no program {argv[0]} in {options.build.name})")
    return found


def echo_servers(options):
    return present(options, [(s, s.name, list(s.argv)) for s in programs.ECHO_SERVERS])


def load_once(options, argv, load_arguments, seconds=None, warmup=None):
    """Start the server, load it, end it. The load generator's result."""
    seconds = options.seconds if seconds is None else seconds
    warmup = options.warmup if warmup is None else warmup
    load = programs.find_program(options.build, "load")
    if load is None:
        raise SystemExit(f"no load generator in {options.build}; build first")
    with programs.echo_server(argv, options.server_cpu) as (process, port):
        arguments = [str(load), "--port", str(port), "--server-pid", str(process.pid),
                     "--seconds", str(seconds), "--warmup", str(warmup), *load_arguments]
        results = programs.run_json(arguments, options.load_cpu, seconds + warmup + 100)
        if process.poll() is not None:
            raise programs.Failed(f"the server ended by itself with {process.returncode}")
        return results[0]


def interleave(rounds, names, measure):
    """{name: [result of each round]}; a failure leaves None in its place and is printed."""
    results = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            try:
                results[name].append(measure(name))
            except programs.Failed as failure:
                print(f"  {name}: {failure}")
                results[name].append(None)
    return results


def column(rounds, key):
    return [None if r is None else r.get(key) for r in rounds]


def median(values):
    present_values = [v for v in values if v is not None]
    return report.spread(present_values)["median"] if present_values else float("inf")


def best_raw(servers, results, loop, key):
    """The rounds of the raw program on this loop that has the best median."""
    raw = [column(results[s.name], key) for s, _ in servers if s.raw and s.loop == loop]
    return min(raw, key=median) if raw else []


def print_load_table(title, unit, servers, results, base_name):
    key = "server_cpu_us"
    base = column(results[base_name], key) if base_name in results else []
    rows = []
    for server, _ in servers:
        rounds = results[server.name]
        cpu = column(rounds, key)
        rows.append([server.name, report.cell(cpu), report.ratio_cell(cpu, base),
                     report.ratio_cell(cpu, best_raw(servers, results, server.loop, key)),
                     report.cell(column(rounds, "rate")),
                     *(report.number(median(column(rounds, k)))
                       for k in ("p50_us", "p99_us", "p999_us", "server_switches")),
                     sum(e or 0 for e in column(rounds, "errors"))])
    report.print_table(title, ["server", f"CPU us/{unit}", f"/ {base_name}", "/ raw, same loop",
                               f"{unit}/s", "p50 us", "p99", "p99.9", f"switches/{unit}",
                               "errors"], rows)


def run_load_cases(options, suite, unit, cases):
    """Measure every case (title, load arguments, times longer) on every server; print, save."""
    servers = echo_servers(options)
    argv = {server.name: path for server, path in servers}
    base = options.base or "epoll"
    saved = {}
    for title, arguments, longer in cases:
        results = interleave(options.rounds, list(argv),
                             lambda name: load_once(options, argv[name], arguments,
                                                    options.seconds * longer,
                                                    options.warmup * longer))
        print_load_table(title, unit, servers, results, base)
        saved[title] = results
    save(options, suite, saved)


def suite_echo(options):
    cases = []
    for size in options.sizes:
        for count in options.connections:
            longer = 3 if count * size > 1 << 28 else 1  # one round trip of all takes a second
            cases.append((f"echo, {count} connections, {size} bytes",
                          ["--connections", str(count), "--size", str(size)], longer))
    if max(options.connections) >= 10000:
        cases.append(("echo, 10000 connections of which 50 busy, 64 bytes",
                      ["--connections", "10000", "--busy", "50", "--size", "64"], 1))
    run_load_cases(options, "echo", "msg", cases)


def suite_connect(options):
    run_load_cases(options, "connect", "conn",
                   [(f"connect, echo 64 bytes, close; {n} at once",
                     ["--connect-rate", "--in-flight", str(n), "--size", "64"], 1)
                    for n in options.in_flight])


def suite_memory(options):
    """Bytes of the server per connection that was opened, echoed nothing or one byte, and waits."""
    count = max(options.connections)
    servers = echo_servers(options)
    argv = {server.name: path for server, path in servers}
    arguments = ["--connections", str(count), "--busy", "1"]
    results = interleave(options.rounds, list(argv),
                         lambda name: load_once(options, argv[name], arguments, 0.1, 0.0))
    rows = [[name, report.cell(column(rounds, "bytes_a_connection")),
             report.cell(column(rounds, "rss_before_kib")),
             report.cell(column(rounds, "rss_after_kib"))] for name, rounds in results.items()]
    report.print_table(f"memory, {count} idle connections (resident and page tables)",
                       ["server", "B/connection", "KiB before", "KiB after"], rows)
    save(options, "memory", {str(count): results})


def strace_table(text):
    """{call: number} of the table that strace -c writes."""
    calls = {}
    for line in text.splitlines():
        match = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)\s*$", line)
        if match and match[2] != "total":
            calls[match[2]] = int(match[1])
    return calls


def load_simply(options, port, connections):
    """Messages of 64 bytes from the first moment on: the number finished."""
    load = programs.find_program(options.build, "load")
    result = programs.run_json([str(load), "--port", str(port), "--connections", str(connections),
                                "--seconds", str(options.seconds)],
                               options.load_cpu, options.seconds + 100)[0]
    return max(1, result["messages"])


def count_once(options, argv, connections):
    """System calls of a server at full speed, counted inside it."""
    library = programs.find_program(options.build, "bench_calls.so")
    with programs.call_counters(library) as (environment, read_counts), \
            programs.echo_server(argv, options.server_cpu, environment) as (_, port):
        messages = load_simply(options, port, connections)
        return {"messages": messages, "calls": read_counts()}


def trace_once(options, argv, connections):
    """System calls of a server, counted by strace."""
    with programs.echo_server(argv, options.server_cpu) as (process, port), \
            tempfile.NamedTemporaryFile("r") as table:
        trace = programs.start(["strace", "-f", "-c", "-o", table.name, "-p", str(process.pid)],
                               options.load_cpu, stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.5)
            messages = load_simply(options, port, connections)
            trace.send_signal(signal.SIGINT)
            trace.wait(programs.STOP_SECONDS)
        finally:
            programs.stop(trace)
        return {"messages": messages, "calls": strace_table(table.read())}


def print_calls(title, results):
    rows = []
    for name, (result,) in results.items():
        if result is None:
            continue
        each = {call: n / result["messages"] for call, n in result["calls"].items() if n}
        most = sorted(each.items(), key=lambda item: -item[1])[:5]
        rows.append([name, report.number(sum(each.values())),
                     ", ".join(f"{call} {report.number(n)}" for call, n in most)])
    report.print_table(title, ["server", "calls", "of which"], rows)


def suite_syscalls(options):
    if programs.find_program(options.build, "bench_calls.so") is None:
        print("left out: the suite syscalls (no bench_calls.so)")
        return
    argv = {server.name: path for server, path in echo_servers(options)}
    saved = {}
    for connections in (50, 1000):
        results = interleave(1, list(argv), lambda name: count_once(options, argv[name],
                                                                    connections))
        print_calls(f"system calls a message, {connections} connections, 64 bytes", results)
        saved[str(connections)] = results
    save(options, "syscalls", saved)


def suite_strace(options):
    if shutil.which("strace") is None:
        print("left out: the suite strace (not installed)")
        return
    argv = {server.name: path for server, path in echo_servers(options)}
    results = interleave(1, list(argv), lambda name: trace_once(options, argv[name], 50))
    print_calls("system calls a message under strace, 50 connections, 64 bytes", results)
    save(options, "strace", results)


def micro_programs(options):
    programs.build_go(options.build)
    return dict(present(options, [(n, n, argv) for n, argv in programs.MICRO_PROGRAMS]))


def measure_names(options, argv):
    """All programs' measures, in the order of the first program that has each."""
    names = []
    for path in argv.values():
        out = subprocess.run([path[0], "--list"], capture_output=True, text=True, timeout=30)
        names += [n for n in out.stdout.split() if n not in names]
    if options.measure:
        names = [n for n in names if n in options.measure.split(",")]
    return names


def micro_once(options, argv, measure, count=None):
    """One measure in a process of its own. None if the program does not have it."""
    arguments = [*argv] + (["--count", str(count)] if count else []) + [measure]
    results = programs.run_json(arguments, options.server_cpu, 120)
    return results[0] if results else None


def suite_micro(options):
    argv = micro_programs(options)
    base = options.base or "go"
    head = ["measure", "unit"]
    for name in argv:
        head += [name] if name == base else [name, f"/ {base}"]
    rows, saved = [], {}
    for measure in measure_names(options, argv):
        results = interleave(options.rounds, list(argv),
                             lambda name: micro_once(options, argv[name], measure))
        values = {name: column(rounds, "value") for name, rounds in results.items()}
        units = [r["unit"] for rounds in results.values() for r in rounds if r]
        row = [measure, units[0] if units else "-"]
        for name in argv:
            row.append(report.cell(values[name]))
            if name != base:
                row.append(report.ratio_cell(values[name], values.get(base, [])))
        rows.append(row)
        saved[measure] = results
    report.print_table("micro (one CPU, a process for each figure)", head, rows)
    save(options, "micro", saved)


def suite_growth(options):
    """Cost for one at growing numbers: a linear total shows as a flat row."""
    argv = micro_programs(options)
    rounds = min(options.rounds, 3)
    saved = {}
    for measure, counts in GROWTH.items():
        if options.measure and measure not in options.measure.split(","):
            continue
        rows = []
        for name, path in argv.items():
            results = interleave(rounds, counts,
                                 lambda count, path=path: micro_once(options, path, measure, count))
            medians = [median(column(results[count], "value")) for count in counts]
            if medians[0] == float("inf"):
                continue
            saved[f"{measure} {name}"] = results
            rows.append([name, *map(report.number, medians), f"{medians[-1] / medians[0]:.2f}"])
        if rows:
            report.print_table(f"growth: {measure}, cost for one",
                               ["program", *map(str, counts), "last / first"], rows)
    save(options, "growth", saved)


def save(options, suite, results):
    if not options.quick:
        kept = {"rounds": options.rounds, "seconds": options.seconds, "warmup": options.warmup,
                "server_cpu": options.server_cpu, "load_cpu": options.load_cpu}
        report.save(programs.BENCH / "results", suite, kept, results)


SUITES = {"echo": suite_echo, "connect": suite_connect, "memory": suite_memory,
          "syscalls": suite_syscalls, "strace": suite_strace, "micro": suite_micro, "growth": suite_growth}


def warn_if_busy():
    """Other work on the machine spoils rates and latencies; CPU time a message suffers less."""
    load = os.getloadavg()[0]
    if load > 0.7:
        print(f"this machine is busy with something else (load {load:.1f}): expect noise")


def end_by_signal(signum, frame):
    """Leave through the `finally` clauses, so that what was started is ended."""
    raise SystemExit(128 + signum)


def main(argv):
    signal.signal(signal.SIGTERM, end_by_signal)
    options = parse_arguments(argv)
    warn_if_busy()
    for name in options.suite or SUITES:
        began = time.monotonic()
        SUITES[name](options)
        print(f"  {name}: {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
