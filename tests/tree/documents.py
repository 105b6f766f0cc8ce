#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compile the C programs in the documents: usage: documents.py PROJECT --c COMPILER

Every ```c block of a .md file that includes something must compile without a warning; the others
are fragments.
"""

import argparse
import pathlib
import re
import subprocess
import sys

BLOCK = re.compile(r"^```c\n(.*?)^```", re.M | re.S)


def compiles(compiler, include, name, block):
    done = subprocess.run(
        [compiler, "-Wall", "-Wextra", "-Werror", f"-I{include}", "-fsyntax-only", "-x", "c", "-"],
        input=block, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        print(f"{name}: a block does not compile:\n{done.stderr}")
    return done.returncode == 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("project", type=pathlib.Path)
    parser.add_argument("--c", required=True)
    options = parser.parse_args()
    documents = [path for path in sorted(options.project.rglob("*.md"))
                 if path.relative_to(options.project).parts[0] != "build"]
    results = [compiles(options.c, options.project / "include", path, block)
               for path in documents
               for block in BLOCK.findall(path.read_text()) if "#include" in block]
    print(f"{sum(results)} of {len(results)} blocks compile")
    return not results or not all(results)


if __name__ == "__main__":
    sys.exit(main())
