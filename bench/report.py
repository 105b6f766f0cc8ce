# SPDX-License-Identifier: MIT
"""Medians, ratios within a round, tables, and the result files."""

import datetime
import functools
import json
import math
import os
import pathlib
import platform
import statistics
import subprocess
import sys


def spread(values):
    """median, minimum and maximum of a list."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def present(values):
    return [v for v in values if v is not None]


def ratios(values, base):
    """Spread of value / base, round by round; None when they share no round."""
    pairs = [v / b for v, b in zip(values, base) if v is not None and b]
    return spread(pairs) if pairs else None


def number(value):
    """Three or four significant digits, no exponent."""
    if value is None or value == float("inf"):
        return "-"
    size = abs(value)
    if size >= 100000:
        return f"{value / 1000:.0f}k"
    if size >= 100:
        return f"{value:.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 0.1 or value == 0 else f"{value:.4f}"


def size_name(size):
    return f"{size // 1024} KiB" if size >= 1024 else f"{size} B"


def cell(values):
    """'median (min..max)' of a list that may hold None."""
    values = present(values)
    if not values:
        return "-"
    s = spread(values)
    if len(values) == 1:
        return number(s["median"])
    return f"{number(s['median'])} ({number(s['min'])}..{number(s['max'])})"


def ratio_cell(values, base):
    s = ratios(values, base)
    return "-" if s is None else f"{s['median']:.3f} ({s['min']:.2f}..{s['max']:.2f})"


# Ten times as many may cost 28 times as much: caches that no longer hold everything make one two or
# three times as dear, for raw programs too, and end there. What grows like n^1.5 does not pass.
GROWTH_TOLERANCE = 1.45


def growth_exponent(counts, costs):
    """e of the total ~ n^e between the two largest counts, where `costs` are those of one."""
    points = [(math.log(n), math.log(n * cost)) for n, cost in zip(counts, costs) if cost]
    if len(points) < 2:
        return None
    (n1, total1), (n2, total2) = points[-2:]
    return (total2 - total1) / (n2 - n1)


def is_worse_than_linear(exponent):
    return exponent is not None and exponent > GROWTH_TOLERANCE


def medians(costs):
    """Of the rounds of each count; None where there are none."""
    return [spread(present(taken))["median"] if present(taken) else None for taken in costs]


def growth_row(counts, costs):
    """Cells of the medians and of the exponent; `costs` holds the rounds of each count."""
    exponent = growth_exponent(counts, medians(costs))
    worse = " WORSE THAN LINEAR" if is_worse_than_linear(exponent) else ""
    return [*map(number, medians(costs)), "-" if exponent is None else f"n^{exponent:.2f}{worse}"]


def growth_verdict(growths):
    """One line: which of {key: growth} are worse than linear."""
    cases = [(growth, name, costs) for growth in growths.values()
             for name, costs in growth["costs"].items()]
    worse = [f"{growth['title']} ({name})" for growth, name, costs in cases
             if is_worse_than_linear(growth_exponent(growth["counts"], medians(costs)))]
    if worse:
        return f"worse than linear: {'; '.join(worse)}"
    return f"all {len(cases)} totals grow at most linearly (exponents up to {GROWTH_TOLERANCE})"


def print_table(title, head, rows):
    """Left-aligned first column, right-aligned others."""
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
    print(f"\n{title}")
    for row in [head, *rows]:
        first = str(row[0]).ljust(widths[0])
        rest = "  ".join(str(c).rjust(w) for c, w in zip(row[1:], widths[1:]))
        print(f"  {first}  {rest}".rstrip())


def first_line(argv):
    try:
        out = subprocess.run(argv, capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    return out.splitlines()[0] if out else None


# What machine() tells the version of.
VERSIONS = ["compiler", "libuv", "libevent", "mbedtls", "go", "anyio", "uvloop", "trio"]
PYTHON_VERSIONS = """
from importlib.metadata import version
import anyio
for name in ("anyio", "uvloop", "trio"):
    try:
        print(name, version(name))
    except Exception:
        pass
"""


def python_versions():
    for python in (sys.executable, "/usr/bin/python3"):
        run = subprocess.run([python, "-W", "ignore", "-c", PYTHON_VERSIONS], capture_output=True,
                             text=True, timeout=30)
        if run.returncode == 0:
            return dict(line.split() for line in run.stdout.splitlines())
    return {}


def mbedtls_version():
    """As its header has it: 2.28 has no file for pkg-config."""
    line = first_line(["sh", "-c", "echo MBEDTLS_VERSION_STRING |"
                       " cc -include mbedtls/version.h -E -P - | tail -n 1"])
    return line and line.strip('"')


@functools.cache
def machine():
    """What the figures were taken on."""
    model = None
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    go = first_line(["go", "version"])
    return {
        "cpu": model or platform.processor(), "cpus": os.cpu_count(),
        "kernel": platform.release().partition("-")[0], "arch": platform.machine(),
        "compiler": first_line(["cc", "--version"]),
        "libuv": first_line(["pkg-config", "--modversion", "libuv"]),
        "libevent": first_line(["pkg-config", "--modversion", "libevent"]),
        "mbedtls": mbedtls_version(),
        "go": go.split()[2].removeprefix("go") if go else None,
        **python_versions(),
        "taken": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }


def save(folder, suite, options, results):
    """Write one suite's rounds, everything that was measured."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{suite}.json"
    content = {"suite": suite, "machine": machine(), "options": options, "results": results}
    path.write_text(json.dumps(content, indent=1) + "\n")
    print(f"  -> {path.relative_to(folder.parent.parent)}")
