#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that what uses the disk is taken through its failures: usage: failures.py PROJECT

Every function of the headers of files and paths that may suspend (its comment says "Cancel: checkpoint"
or "as anyc_...") stands as an operation in a test that injects failures into system calls: in double
quotes, as the first word or a further one, in a tests/unit/*/test_*_failures.c.
"""

import pathlib
import re
import sys

HEADERS = ["path*.h", "file.h", "file_stream.h", "temporary_file.h", "send_file.h"]
FUNCTION = re.compile(r"/\*\*((?:(?!\*/).)*)\*/\s*(?:ANYC_MUST_USE )?ANYC_API\b[^;(]*?\b(anyc_\w+)\(",
                      re.S)
SUSPENDS = re.compile(r"^ \* Cancel: +(checkpoint|as anyc_|may suspend)", re.M)
OPERATION = re.compile(r'"(anyc_[^"(]+)')


def main():
    root = pathlib.Path(sys.argv[1])
    tests = sorted((root / "tests/unit").glob("*/test_*_failures.c"))
    named = {word for test in tests for names in OPERATION.findall(test.read_text())
             for word in names.split()}
    wanted = []
    for pattern in HEADERS:
        for header in sorted((root / "include/anyc").glob(pattern)):
            wanted += [(header.name, match[2]) for match in FUNCTION.finditer(header.read_text())
                       if SUSPENDS.search(match[1])]
    missing = [(header, name) for header, name in wanted if name not in named]
    for header, name in missing:
        print(f"{header}: {name} is in no table of operations that fail")
    print(f"{len(wanted)} functions, {len(missing)} missing")
    return bool(missing) or not wanted


if __name__ == "__main__":
    sys.exit(main())
