#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Count the instructions of the hot paths with callgrind and compare them with instructions.txt.

./dev bench instructions [--update] does it with the release build; the test bench/instructions calls
this file with a build of its own: instructions.py BUILD. What is counted is in user mode, so it is
the same on every machine with the same compiler and libraries; micro/steady.c sees to the clock.
"""

import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

import programs
import report
import rounds

FILE = programs.BENCH / "instructions.txt"
TOLERANCE = 0.05  # growth beyond it is an error
SKIPPED = 77
BACKENDS = ["libuv", "libevent"]
TIMEOUT = 300

# Arguments of micro, with the rounds left out: those are run twice, the second time with twice as
# many rounds, and what start and end cost cancels out.
RUNS = [
    (2000, [], ["yield_2", "spawn_join", "memory_stream_0", "memory_stream_128", "lock_free",
                "lock_contended", "semaphore", "event_wake", "timeout_noop", "timeout_checkpoint",
                "echo", "echo_timeout"]),
    (4, ["--count", "2000"], ["sleep", "cancel"]),
]

COMMENT = """\
# Instructions in user mode for one operation; what each is: README.md here, micro/main.c.
# Written by ./dev bench instructions --update; the test bench/instructions fails when one grows by
# more than {percent:.0f} %.
"""


class Unable(Exception):
    """Nothing can be compared here; the text says why."""


def compiler_of(build):
    """'gcc 12' or 'clang 14': what compiled this build folder."""
    cache = (build / "CMakeCache.txt").read_text()
    compiler = re.search(r"^CMAKE_C_COMPILER:\w+=(.+)$", cache, re.M)[1]
    macros = subprocess.run([compiler, "-dM", "-E", "-x", "c", os.devnull], capture_output=True,
                            text=True, timeout=30, check=True).stdout
    for name, macro in (("clang", "__clang_major__"), ("gcc", "__GNUC__")):
        found = re.search(rf"^#define {macro} (\d+)$", macros, re.M)
        if found:
            return f"{name} {found[1]}"
    return compiler


def version_of(package):
    """The first two numbers: '1.44'. Empty if it is not installed."""
    text = report.first_line(["pkg-config", "--modversion", package]) or ""
    return ".".join(re.findall(r"\d+", text)[:2])


def conditions(build):
    """What the counts depend on, as it is here; the order is that of the file."""
    return {"arch": platform.machine(), "compiler": compiler_of(build),
            "libuv": version_of("libuv"), "libevent": version_of("libevent_core")}


def callgrind(build, folder, arguments):
    """{measure: (instructions, operations)} of one run of micro."""
    program, clock = (programs.find_program(build, n) for n in ("micro", "bench_steady.so"))
    if program is None or clock is None:
        raise Unable(f"no micro and bench_steady.so in {build}")
    for old in folder.glob("counts*"):
        old.unlink()
    lines = programs.run_json(
        ["env", f"LD_PRELOAD={clock}", "valgrind", "--quiet", "--tool=callgrind",
         "--collect-atstart=no", f"--callgrind-out-file={folder}/counts", str(program), *arguments],
        programs.choose_cpus()[0], TIMEOUT)
    operations = {line["name"]: line["ops"] for line in lines}
    counted = {}
    for path in folder.glob("counts.*"):
        text = path.read_text()
        name = re.search(r"^desc: Trigger: Client Request: (\S+)$", text, re.M)
        if name:
            counted[name[1]] = int(re.search(r"^totals: (\d+)$", text, re.M)[1])
    if not counted:
        raise Unable("micro was built without valgrind/callgrind.h")
    return {name: (counted[name], operations[name]) for name in counted}


def count_backend(build, backend):
    """{path: instructions an operation}, in the order of RUNS."""
    counts = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, options, paths in RUNS:
            once, twice = (
                callgrind(build, pathlib.Path(folder),
                          ["--backend", backend, *options, "--rounds", str(n), *paths])
                for n in (number, 2 * number))
            for path in paths:
                more = [b - a for a, b in zip(once[path], twice[path])]
                counts[path] = round(more[0] / more[1], 1)
    return counts


def count_all(build, backends):
    """{(path, backend): instructions an operation}."""
    if shutil.which("valgrind") is None:
        raise Unable("valgrind is not installed")
    by_backend = {backend: count_backend(build, backend) for backend in backends}
    return {(path, backend): by_backend[backend][path]
            for _, _, paths in RUNS for path in paths for backend in backends}


def read_file():
    """What the file holds: its conditions and its counts."""
    kept, where = {}, {}
    if FILE.exists():
        for line in FILE.read_text().splitlines():
            words = line.split()
            if words[:1] == ["with"]:
                where[words[1]] = " ".join(words[2:])
            elif len(words) == 3 and words[0] != "#":
                kept[words[0], words[1]] = float(words[2])
    return where, kept


def write_file(where, counted):
    lines = [COMMENT.format(percent=100 * TOLERANCE)]
    lines += [f"with {name} {value}\n" for name, value in where.items()]
    lines += [f"{path:20} {backend:9} {count:8.1f}\n" for (path, backend), count in counted.items()]
    FILE.write_text("".join(lines))


def comparable(where, here):
    """Backends whose counts can be compared; says loudly why others are not."""
    for name in ("arch", "compiler"):
        if where.get(name) != here[name]:
            raise Unable(f"{FILE.name} is of {name} {where.get(name)}, here is {here[name]}")
    for backend in BACKENDS:
        if where.get(backend) != here[backend]:
            print(f"NOT COMPARED: {backend} is {here[backend] or 'missing'} here, {FILE.name} is of "
                  f"{where.get(backend)}")
    backends = [backend for backend in BACKENDS if where.get(backend) == here[backend]]
    if not backends:
        raise Unable("other event loops than those of the file")
    return backends


def problems(kept, counted, backends):
    """Lines that say what is wrong, and lines that say what has become better."""
    wrong, better = [], []
    for path, backend in dict.fromkeys([*kept, *counted]):
        old, new = kept.get((path, backend)), counted.get((path, backend))
        if backend not in backends:
            continue
        if old is None or new is None:
            where = "here" if new is None else f"in {FILE.name}"
            wrong.append(f"{path} on {backend} is not {where}")
            continue
        change = f"{path} on {backend}: {old} instructions, now {new} ({new / old - 1:+.1%})"
        if new > old * (1 + TOLERANCE):
            wrong.append(f"{change}, a growth of more than {TOLERANCE:.0%}")
        elif new < old * (1 - TOLERANCE):
            better.append(change)
    return wrong, better


def compare(build):
    """Count and print; the number of problems. Unable when there is nothing to hold the counts to."""
    where, kept = read_file()
    backends = comparable(where, conditions(build))
    counted = count_all(build, backends)
    wrong, better = problems(kept, counted, backends)
    print_counts(kept, counted)
    for line in better:
        print(f"FEWER: {line}: ./dev bench instructions --update, so that it stays so")
    for line in wrong:
        print(f"FAILED: {line}")
    return len(wrong)


def print_counts(kept, counted):
    rows = []
    for (path, backend), new in counted.items():
        old = kept.get((path, backend))
        rows.append([path, backend, "-" if old is None else old, new,
                     "-" if old is None else f"{new / old - 1:+.1%}"])
    report.print_table("instructions an operation (user mode)",
                       ["path", "backend", FILE.name, "now", "change"], rows)


def suite_instructions(options):
    build = options.build
    here = conditions(build)
    try:
        counted = count_all(build, [backend for backend in BACKENDS if here[backend]])
    except Unable as reason:
        print(f"left out: instructions ({reason})")
        return
    _, kept = read_file()
    print_counts(kept, counted)
    if options.update:
        write_file(here, counted)
        print(f"  -> bench/{FILE.name}")
    results = {}
    for (path, backend), count in counted.items():
        by_name = results.setdefault(path, {})
        by_name[f"anyc-{backend}"] = [{"value": count, "unit": "instructions"}]
    rounds.save(options, "instructions", results)


def main(argv):
    try:
        return 1 if compare(pathlib.Path(argv[0])) else 0
    except Unable as reason:
        print(f"SKIPPED, NOTHING COMPARED: {reason}")
        return SKIPPED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
