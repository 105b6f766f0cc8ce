#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that every public function has its comment: usage: comments.py PROJECT

The labels Returns, Owns, Cancel, Threads and AnyIO stand in this order, none is empty; void
functions may leave Returns out. Two kinds are documented elsewhere: what only serves a macro (its first
parameter is `origin`), and a ready-made function for an ops table (its one line says: see the slot).
"""

import pathlib
import re
import sys

LABELS = ["Returns", "Owns", "Cancel", "Threads", "AnyIO"]
DECLARATION = re.compile(r"^(ANYC_API\b|static inline\b)([^;{]*?)\b(\w+)\(([^;{]*)[;{]", re.M)
ORIGIN = "const char *origin,"
LABEL = re.compile(r"^ \* (\w+):[ \t]*(\S?)", re.M)


def problems(comment, result):
    if comment is None:
        return ["has no comment directly before it"]
    if "\n" not in comment and re.search(r"\bslot\b", comment):
        return []
    found = [(label, text) for label, text in LABEL.findall(comment) if label in LABELS]
    names = [label for label, _ in found]
    wanted = LABELS
    if result.split() == ["void"] and "Returns" not in names:
        wanted = LABELS[1:]
    answer = []
    if names != wanted:
        answer.append(f"has the labels {', '.join(names) or 'none'}; wanted {', '.join(wanted)}")
    answer += [f"says nothing after {label}" for label, text in found if not text]
    return answer


def comment_before(text, position):
    before = text[:position].rstrip()
    if not before.endswith("*/"):
        return None
    start = before.rfind("/*")
    return before[start:] if before.startswith("/**", start) else None


def main():
    root = pathlib.Path(sys.argv[1])
    bad = 0
    functions = 0
    for path in sorted((root / "include").rglob("*.h")):
        text = path.read_text()
        for match in DECLARATION.finditer(text):
            if match[4].startswith(ORIGIN):
                continue
            functions += 1
            for problem in problems(comment_before(text, match.start()), match[2]):
                line = text.count("\n", 0, match.start()) + 1
                print(f"{path.relative_to(root)}:{line}: {match[3]} {problem}")
                bad += 1
    print(f"{functions} functions, {bad} problems")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
