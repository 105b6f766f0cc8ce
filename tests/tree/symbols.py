#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check what the shared libraries export: usage: symbols.py --nm NM LIBRARY...

Every symbol starts with anyc_ or ANYC_, none with anyc__.
"""

import argparse
import re
import subprocess
import sys

LINKER_OWN = {"_init", "_fini", "_edata", "_end", "__bss_start"}
ALLOWED = re.compile(r"(anyc_(?!_)|ANYC_)\w+")


def exports(nm, library):
    done = subprocess.run([nm, "--dynamic", "--defined-only", "--format=posix", library],
                          text=True, capture_output=True, check=True)
    names = {line.split()[0].split("@")[0] for line in done.stdout.splitlines()}
    return sorted(names - LINKER_OWN)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nm", required=True)
    parser.add_argument("libraries", nargs="+")
    options = parser.parse_args()
    bad = 0
    for library in options.libraries:
        names = exports(options.nm, library)
        wrong = [name for name in names if not ALLOWED.fullmatch(name)]
        print(f"{library}: {len(names)} symbols")
        for name in wrong:
            print(f"  may not be exported: {name}")
        bad += len(wrong) + (not names)
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
