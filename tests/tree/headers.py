#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that each public header compiles alone, included twice, as C11 and as C++17.

usage: headers.py PROJECT --version X.Y.Z --c COMPILER [--cxx COMPILER]

Also that the version in base.h is the project's.
"""

import argparse
import pathlib
import re
import subprocess
import sys

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def compiles(command, source):
    done = subprocess.run([*command, *WARNINGS, "-fsyntax-only", "-"], input=source, text=True,
                          capture_output=True, check=False)
    if done.returncode != 0:
        print(f"{' '.join(command)}:\n{source}{done.stderr}")
    return done.returncode == 0


def version_in(header):
    parts = re.findall(r"#define ANYC_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header.read_text())
    return ".".join(parts)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("project", type=pathlib.Path)
    parser.add_argument("--version", required=True)
    parser.add_argument("--c", required=True)
    parser.add_argument("--cxx")
    options = parser.parse_args()
    include = options.project / "include"
    commands = [[options.c, "-std=c11", f"-I{include}", "-x", "c"]]
    if options.cxx and not options.cxx.endswith("NOTFOUND"):
        commands.append([options.cxx, "-std=c++17", f"-I{include}", "-x", "c++"])
    else:
        print("no C++ compiler: only C is checked")
    good = True
    for header in sorted(include.rglob("*.h")):
        line = f"#include <{header.relative_to(include).as_posix()}>\n"
        good = all([compiles(command, line + line) for command in commands]) and good
    if version_in(include / "anyc/base.h") != options.version:
        print(f"anyc/base.h does not say {options.version}")
        good = False
    return not good


if __name__ == "__main__":
    sys.exit(main())
