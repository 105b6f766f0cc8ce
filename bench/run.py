#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run the benchmarks: ./dev bench [suite ...] [options].

Suites: echo (CPU time a message, rate, latency), connect (connections a second), unix and udp
(echo), http (requests of wrk), files (http_server --root), tls (echo, handshakes, latency
meanwhile), memory (bytes per idle connection), syscalls (calls a message at full speed), strace
(the same counted by strace, all calls but slowed down): together network; search (rglob);
micro (tasks, streams, locks ...), instructions (of the same, counted); growth_network and
growth_micro: together growth; report (docs/performance.md from the results). Without a name: all.

Rounds are interleaved: every program once, then every program again. Ratios are taken within a
round. The measured program has one CPU, the load generator another.
"""

import argparse
import importlib
import os
import signal
import sys
import time

import programs

# Module and function of each suite; the module is loaded when the suite is run.
SUITES = {
    "echo": ("suite_network", "suite_echo"),
    "connect": ("suite_network", "suite_connect"),
    "unix": ("suite_network", "suite_unix"),
    "udp": ("suite_network", "suite_udp"),
    "http": ("suite_network", "suite_http"),
    "files": ("suite_network", "suite_files"),
    "tls": ("suite_tls", "suite_tls"),
    "memory": ("suite_network", "suite_memory"),
    "syscalls": ("suite_calls", "suite_syscalls"),
    "strace": ("suite_calls", "suite_strace"),
    "search": ("suite_search", "suite_search"),
    "micro": ("suite_micro", "suite_micro"),
    "instructions": ("instructions", "suite_instructions"),
    "growth_network": ("suite_growth", "suite_growth_network"),
    "growth_micro": ("suite_micro", "suite_growth_micro"),
    "report": ("page", "suite_report"),
}
GROUPS = {"network": ["echo", "connect", "unix", "udp", "http", "files", "tls", "memory",
                      "syscalls", "strace"],
          "growth": ["growth_network", "growth_micro"]}


def numbers(text):
    return [int(part) for part in text.split(",")]


def parse_arguments(argv):
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", nargs="*", help=", ".join([*SUITES, *GROUPS]))
    parser.add_argument("--build", default="build/release", help="build folder [%(default)s]")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.3, help="of one measurement")
    parser.add_argument("--warmup", type=float, default=0.1, help="seconds before it")
    parser.add_argument("--connections", type=numbers, default=[1, 50, 1000, 10000])
    parser.add_argument("--sizes", type=numbers, default=[64, 65536], help="bytes of a message")
    parser.add_argument("--only", help="programs, separated by commas")
    parser.add_argument("--measure", help="micro measures, separated by commas")
    parser.add_argument("--base", help="what ratios refer to [epoll; micro: go]")
    parser.add_argument("--update", action="store_true", help="write instructions.txt anew")
    parser.add_argument("--quick", action="store_true", help="one short round: does it all work?")
    options = parser.parse_args(argv)
    unknown = [name for name in options.suite if name not in SUITES and name not in GROUPS]
    if unknown:
        parser.error(f"no suite {', '.join(unknown)}; there are {', '.join([*SUITES, *GROUPS])}")
    options.suite = [n for name in options.suite or SUITES for n in GROUPS.get(name, [name])]
    if options.quick:
        options.rounds, options.seconds, options.warmup = 1, 0.1, 0.05
    options.build = programs.BENCH.parent / options.build
    options.server_cpu, options.load_cpu = programs.choose_cpus()
    options.left_out = set()
    options.partial = any(getattr(options, name) != parser.get_default(name)
                          for name in ("quick", "only", "measure", "connections", "sizes"))
    return options


def warn_if_busy():
    """Other work on the machine spoils rates and latencies; CPU time a message suffers less."""
    load = os.getloadavg()[0]
    if load > 0.7:
        print(f"this machine is busy with something else (load {load:.1f}): expect noise")


def end_by_signal(signum, frame):
    """Leave through the `finally` clauses, so that what was started is ended."""
    raise SystemExit(128 + signum)


def run_suite(name, options):
    module, function = SUITES[name]
    try:
        suite = getattr(importlib.import_module(module), function)
    except ModuleNotFoundError as missing:
        if missing.name != module:
            raise
        print(f"left out: the suite {name} (no {module}.py)")
        return
    suite(options)


def main(argv):
    signal.signal(signal.SIGTERM, end_by_signal)
    options = parse_arguments(argv)
    warn_if_busy()
    first = time.monotonic()
    for name in options.suite:
        began = time.monotonic()
        run_suite(name, options)
        print(f"  {name}: {time.monotonic() - began:.0f} s", flush=True)
    print(f"all of it: {(time.monotonic() - first) / 60:.1f} minutes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
