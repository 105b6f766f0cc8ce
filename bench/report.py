# SPDX-License-Identifier: MIT
"""Medians, ratios within a round, tables, and the result files."""

import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess


def spread(values):
    """median, minimum and maximum of a list."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def ratios(values, base):
    """Spread of value / base, round by round; None when they share no round."""
    pairs = [v / b for v, b in zip(values, base) if v is not None and b]
    return spread(pairs) if pairs else None


def number(value):
    """Three or four significant digits, no exponent."""
    if value is None:
        return "-"
    size = abs(value)
    if size >= 100000:
        return f"{value / 1000:.0f}k"
    if size >= 100:
        return f"{value:.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 0.1 or value == 0 else f"{value:.4f}"


def cell(values):
    """'median (min..max)' of a list that may hold None."""
    present = [v for v in values if v is not None]
    if not present:
        return "-"
    s = spread(present)
    if len(present) == 1:
        return number(s["median"])
    return f"{number(s['median'])} ({number(s['min'])}..{number(s['max'])})"


def ratio_cell(values, base):
    s = ratios(values, base)
    return "-" if s is None else f"{s['median']:.3f} ({s['min']:.2f}..{s['max']:.2f})"


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


def machine():
    """What the figures were taken on."""
    model = None
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "cpu": model or platform.processor(), "cpus": os.cpu_count(),
        "kernel": platform.release(), "arch": platform.machine(),
        "libuv": first_line(["pkg-config", "--modversion", "libuv"]),
        "libevent": first_line(["pkg-config", "--modversion", "libevent"]),
        "go": first_line(["go", "version"]),
        "taken": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }


def save(folder, suite, options, results):
    """Write one suite's rounds, everything that was measured."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{suite}.json"
    content = {"suite": suite, "machine": machine(), "options": options, "results": results}
    path.write_text(json.dumps(content, indent=1) + "\n")
    print(f"  -> {path.relative_to(folder.parent.parent)}")
