#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that no hot path takes more instructions than bench/instructions.txt says.

usage: hot_paths.py PROJECT WORK --cmake CMAKE --generator G --c COMPILER [--launcher L]
                    [--built BUILD]

Unless a release build is given, it makes one of what it needs, in WORK. Exit code 77: skipped.
"""

import argparse
import importlib
import pathlib
import shutil
import subprocess
import sys


def run(*command):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        print(done.stdout)
        raise SystemExit(f"{command[0]}: exit {done.returncode}")


def build_release(options):
    build = options.work / "release"
    run(options.cmake, "-S", options.project, "-B", build, "-G", options.generator,
        "-DCMAKE_BUILD_TYPE=Release", "-DANYC_BUILD_TESTS=OFF", "-DANYC_BUILD_EXAMPLES=OFF",
        f"-DCMAKE_C_COMPILER={options.c}", f"-DCMAKE_C_COMPILER_LAUNCHER={options.launcher}")
    run(options.cmake, "--build", build, "--target", "micro", "bench_steady")
    return build


def check_rule(instructions):
    """The rule itself: what is reported of a growth, a shrinkage, a path that is new or gone."""
    kept = {("a", "libuv"): 100.0, ("b", "libuv"): 100.0, ("c", "libuv"): 100.0,
            ("d", "libevent"): 100.0}
    counted = {("a", "libuv"): 105.0, ("b", "libuv"): 105.1, ("c", "libuv"): 94.9,
               ("new", "libuv"): 1.0}
    wrong, better = instructions.problems(kept, counted, ["libuv"])
    assert len(wrong) == 2 and "+5.1%" in wrong[0] and "new on libuv" in wrong[1], wrong
    assert len(better) == 1 and "-5.1%" in better[0], better
    wrong, _ = instructions.problems(kept, counted, ["libuv", "libevent"])
    assert any("d on libevent is not here" in line for line in wrong), wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("project", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--cmake", required=True)
    parser.add_argument("--generator", required=True)
    parser.add_argument("--c", required=True)
    parser.add_argument("--launcher", default="")
    parser.add_argument("--built", type=pathlib.Path)
    options = parser.parse_args()
    sys.path.insert(0, str(options.project / "bench"))
    instructions = importlib.import_module("instructions")
    check_rule(instructions)
    if shutil.which("valgrind") is None: # before anything is built
        print("SKIPPED, NOTHING COMPARED: valgrind is not installed")
        return instructions.SKIPPED
    return instructions.main([options.built or build_release(options)])


if __name__ == "__main__":
    sys.exit(main())
