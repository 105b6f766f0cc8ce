# SPDX-License-Identifier: MIT
"""The suites of bench/micro: tasks, streams, locks against others', and how each measure grows."""

import pathlib
import subprocess

import programs
import report
import rounds

COUNTS = (1000, 10000, 50000, 200000)
BEYOND_CACHES = (1000, 10000, 200000, 400000)  # what grows between the last two is the algorithm
GROWTH = {  # micro measures whose cost for one must not depend on how many there are
    "yield": BEYOND_CACHES,
    "spawn_cold": COUNTS,
    "spawn_warm": COUNTS,
    "sleep": COUNTS,
    "cancel": COUNTS,
    "event_wake_all": BEYOND_CACHES,
    "memory_stream": (1, 16, 256, 4096),
    "task_memory": COUNTS,
}

ANYC = ["anyc-libuv", "anyc-libevent"]
PEERS = ["go", "boost", "st", "pthread", "posix_spawn", "fork"]
YIELDS = ["yield_1000", "yield_100000"]  # also compared with the same program's OWN_BASE
OWN_BASE = "yield_2"
GIB_NEEDED = 12  # by the measures with a million tasks
A_MILLION = ["million", "task_memory_1m", "task_memory_1m_64k"]
LARGE = [*ANYC, "go"]  # whose growth is measured, and what a million tasks take


def micro_programs(options):
    programs.build_go(options.build)
    return dict(rounds.present(options, [(n, n, argv) for n, argv in programs.MICRO_PROGRAMS]))


def listed(argv):
    """The names of a program's measures."""
    out = subprocess.run([argv[0], "--list"], capture_output=True, text=True, timeout=30)
    return out.stdout.split()


def gib_available():
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) / 2**20
    return 0


def measures_wanted(options, argv):
    """{measure: its programs}, in the order of the first program that has each."""
    having = {}
    for name, path in argv.items():
        for measure in listed(path):
            if measure not in A_MILLION or name in LARGE:
                having.setdefault(measure, []).append(name)
    if options.measure:
        having = {m: names for m, names in having.items() if m in options.measure.split(",")}
    large = [measure for measure in having if measure in A_MILLION]
    if large and gib_available() < GIB_NEEDED:
        print(f"left out: {', '.join(large)} (less than {GIB_NEEDED} GiB of memory available)")
        having = {m: names for m, names in having.items() if m not in large}
    return having


def turns(having):
    """Lists of measures that are taken in the same rounds: a few are compared with each other."""
    together = [m for m in [OWN_BASE, *YIELDS] if m in having]
    alone = [[m] for m in having if m not in together]
    return [together, *alone] if together else alone


def micro_once(options, argv, measure, count=None):
    """One measure in a process of its own. None if the program does not have it."""
    arguments = [*argv] + (["--count", str(count)] if count else []) + [measure]
    results = programs.run_json(arguments, options.server_cpu, 120)
    return results[0] if results else None


def values(results, measure, name):
    return rounds.column(results.get(measure, {}).get(name, []), "value")


def best_peer(results, measure):
    """The peer with the best median, or None."""
    peers = [name for name in PEERS if report.present(values(results, measure, name))]
    return min(peers, key=lambda name: rounds.median(values(results, measure, name)), default=None)


def unit_of(by_name):
    return next((r["unit"] for taken in by_name.values() for r in taken if r), "-")


def figures_table(results):
    """Head and rows: what was measured."""
    names = [name for name, _ in programs.MICRO_PROGRAMS
             if any(name in by_name for by_name in results.values())]
    return ["measure", "unit", *names], [
        [measure, unit_of(by_name), *(report.cell(values(results, measure, n)) for n in names)]
        for measure, by_name in results.items()]


def ratio_table(results, base="go"):
    """Head and rows: anyc's figures over those of others in the same rounds."""
    names = [name for name in ANYC if any(name in by_name for by_name in results.values())]
    head = ["measure", *(f"{name} / {other}" for name in names for other in (base, "best peer")),
            "best peer", *(f"{name} / own {OWN_BASE}" for name in names)]
    rows = []
    for measure in results:
        best = best_peer(results, measure)
        row = [measure]
        for name in names:
            mine = values(results, measure, name)
            row += [report.ratio_cell(mine, values(results, measure, other))
                    for other in (base, best)]
        row.append(best or "-")
        row += [report.ratio_cell(values(results, measure, name), values(results, OWN_BASE, name))
                if measure in YIELDS else "" for name in names]
        rows.append(row)
    return head, rows


def suite_micro(options):
    argv = micro_programs(options)
    having = measures_wanted(options, argv)
    results = {}
    for together in turns(having):
        points = [(measure, name) for measure in together for name in having[measure]]
        taken = rounds.interleave(options.rounds, points,
                                  lambda at: micro_once(options, argv[at[1]], at[0]))
        for measure, name in points:
            results.setdefault(measure, {})[name] = taken[measure, name]
    results = {measure: results[measure] for measure in having}
    report.print_table("micro: figures (one CPU, a process for each)", *figures_table(results))
    report.print_table("micro: ratios within a round, lower is better",
                       *ratio_table(results, options.base or "go"))
    rounds.save(options, "micro", results)


def suite_growth_micro(options):
    """Cost for one at growing numbers: a linear total shows as a flat row."""
    argv = {name: path for name, path in micro_programs(options).items() if name in LARGE}
    saved = {}
    for measure, counts in GROWTH.items():
        if options.measure and measure not in options.measure.split(","):
            continue
        points = [(name, count) for count in counts for name in argv]
        taken = rounds.interleave(min(options.rounds, 3), points,
                                  lambda at, measure=measure: micro_once(options, argv[at[0]],
                                                                         measure, at[1]))
        units = [r["unit"] for results in taken.values() for r in results if r]
        costs = {name: [rounds.column(taken[name, count], "value") for count in counts]
                 for name in argv}
        costs = {name: values for name, values in costs.items()
                 if any(report.present(v) for v in values)}
        if costs:
            report.print_table(f"growth: {measure}, cost for one, {units[0]}",
                               ["program", *counts, "total"],
                               [[n, *report.growth_row(counts, v)] for n, v in costs.items()])
            saved[measure] = {"title": measure, "unit": units[0], "counts": counts, "costs": costs}
    print(f"\ngrowth: {report.growth_verdict(saved)}")
    rounds.save(options, "growth_micro", saved)
