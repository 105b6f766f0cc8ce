# SPDX-License-Identifier: MIT
"""What every suite does: find its programs, let them take turns, keep what was measured."""

import programs
import report


def wanted(options, name):
    return options.only is None or name in options.only.split(",")


def present(options, candidates):
    """(candidate, argv) of what is there, in order; one line, once, for each that is not."""
    found = []
    for candidate, name, argv in candidates:
        if not wanted(options, name):
            continue
        try:
            found.append((candidate, programs.resolve(options.build, argv)))
        except programs.Missing as missing:
            if name not in options.left_out:
                options.left_out.add(name)
                print(f"left out: {name} ({missing})")
    return found


def interleave(count, names, measure):
    """{name: [result of each round]}; a failure leaves None in its place and is printed."""
    results = {name: [] for name in names}
    for _ in range(count):
        for name in names:
            try:
                results[name].append(measure(name))
            except programs.Failed as failure:
                print(f"  {name}: {failure}")
                results[name].append(None)
    return results


def column(results, key):
    """One figure of each round."""
    return [None if r is None else r.get(key) for r in results]


def median(values):
    values = report.present(values)
    return report.spread(values)["median"] if values else float("inf")


def save(options, suite, results):
    """Keep a suite's rounds for the report, unless only a part of it was asked for."""
    if not options.partial:
        kept = {"rounds": options.rounds, "seconds": options.seconds, "warmup": options.warmup,
                "server_cpu": options.server_cpu, "load_cpu": options.load_cpu}
        report.save(programs.BENCH / "results", suite, kept, results)
