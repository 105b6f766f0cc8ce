# SPDX-License-Identifier: MIT
"""search: what rglob takes to go through a large tree, beside find(1)."""

import pathlib
import resource
import subprocess
import tempfile
import threading
import time

import programs
import report
import rounds

FANOUT = 8  # directories in each one
DEPTH = 4  # 4,681 directories
FILES = 43  # in each: 201,283
STEMS = ["main", "x", "parse", "reader", "test_connection", "table-of-all-names"]
SUFFIXES = ["c", "h", "o", "txt", "py", "json", "md"]
PATTERNS = ["*", "*.c"]
ANYC = ["anyc-libuv", "anyc-libevent"]
TIMEOUT = 100

def make_tree(folder, depth):
    """A tree of empty files; how many there are."""
    made = FILES
    for i in range(FILES):
        name = f"{STEMS[i % len(STEMS)]}{i}.{SUFFIXES[i % len(SUFFIXES)]}"
        (folder / name).touch()
    for i in range(FANOUT if depth > 0 else 0):
        inner = folder / f"part_{i}"
        inner.mkdir()
        made += make_tree(inner, depth - 1)
    return made


def find_argv(folder, pattern):
    """find(1); it need not look at the names if all are wanted."""
    return ["find", folder, "-mindepth", "1", *([] if pattern == "*" else ["-name", pattern])]


def search_argv(options, folder, pattern):
    """{program: its command line}; all print what they find."""
    argv = {"find": find_argv(folder, pattern)}
    for name in ANYC:
        backend = name.removeprefix("anyc-")
        argv[name] = ["search", "--backend", backend, folder, pattern]
    there = rounds.present(options, [(name, name, argv[name]) for name in ANYC])
    return {"find": argv["find"], **dict(there)}


def search_once(argv, cpu):
    """Time of the whole program, from when it runs to its end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = programs.start(argv, cpu, stdout=subprocess.DEVNULL)
    began = time.monotonic()
    guard = threading.Timer(TIMEOUT, process.kill)
    guard.start()
    try:
        process.wait()  # with a timeout it would look only now and then
        wall = time.monotonic() - began
    finally:
        guard.cancel()
        programs.stop(process)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode != 0:
        raise programs.Failed(f"exit {process.returncode}")
    used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return {"ms": 1000 * wall, "cpu_ms": 1000 * used}


def check_alike(argv_of):
    """All find the same. Brings the tree into the system's caches, too."""
    found = {}
    for name, argv in argv_of.items():
        run = subprocess.run(argv, capture_output=True, timeout=TIMEOUT)
        if run.returncode != 0:
            raise programs.Failed(f"{name}: exit {run.returncode}: {run.stderr.decode()[-300:]}")
        found[name] = sorted(run.stdout.splitlines())
    first = next(iter(found))
    for name, lines in found.items():
        if lines != found[first]:
            raise programs.Failed(f"{name} finds {len(lines)} paths, not what {first} finds")
    return len(found[first])


def table(results):
    """Head and rows: figures, and their ratios to those of find in the same round."""
    base = results.get("find", [])
    return ["program", "ms", "/ find", "CPU, ms", "/ find"], [
        [name, *(cell for key in ("ms", "cpu_ms") for cell in (
            report.cell(rounds.column(taken, key)),
            report.ratio_cell(rounds.column(taken, key), rounds.column(base, key))))]
        for name, taken in results.items()]


def suite_search(options):
    saved = {}
    with tempfile.TemporaryDirectory() as folder:
        count = make_tree(pathlib.Path(folder), 1 if options.quick else DEPTH)
        for pattern in PATTERNS:
            argv_of = search_argv(options, folder, pattern)
            found = check_alike(argv_of)
            taken = rounds.interleave(options.rounds, list(argv_of), lambda name, argv_of=argv_of:
                                      search_once(argv_of[name], options.server_cpu))
            title = f"`rglob(\"{pattern}\")` among {count:,} files, {found:,} paths found"
            report.print_table(title, *table(taken))
            saved[pattern] = {"title": title, "results": taken}
    rounds.save(options, "search", saved)
