#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What pathlib answers: usage: path_pathlib.py FOLDER. Makes a tree in FOLDER.

Each line it prints is a question: an operation, its two arguments and the answer, in hexadecimal
("-": empty), "!" for a ValueError. A NUL ends each item of a list. The seed is fixed. Left out is
what changed between Python 3.11 and 3.13: final "**" in searches, the root against a relative pattern,
slashes in new names, new names ".", empty stems, and dangling links.
"""

import os
import pathlib
import random
import sys

SEED = 20261122
PURE = 6000
SEARCHES = 500
NAMES = ["a", "b", "ab", "A", ".a", "a.b", "a.b.c", "..a", "a.", ".", "..", "...", "", "a b", "%",
         "\u00e5", "\u20ac", "a\udcff", "\udcc3", "[", "]", "-", "!", "a-b", "aa", "\U0001f600"]
PATTERNS = NAMES + ["*", "?", "a*", "*b", "*.*", "[ab]", "[!a]", "[a-c]*", "[]-a]", "[!]a]*",
                    "[--a]", "[a", "?b", "*a*b*", "[a-]", "[.-b]*", "[\u00e0-\u00ff]", "??",
                    "[c-a]", "[!c-a]"]
IN_TREE = ["a", "b", "ab", ".a", "a.b", "\u00e5", "a\udcff", "x.txt"]
SEARCHED = IN_TREE + ["*", "*", "**", "**", "?", "a*", "*.*", "[ab]", "..", "*.txt", "[!a]*", "."]


def text(rng, names):
    parts = [rng.choice(names) for _ in range(rng.randint(0, 4))]
    return rng.choice(["", "", "", "/", "//", "///"]) + "/".join(parts) + rng.choice(["", "", "/"])


def items(values):
    return "".join(value + "\0" for value in values)


def sign(a, b):
    return "<" if a < b else ">" if a > b else "="


def match(path, pattern):
    p, q = pathlib.PurePosixPath(path), pathlib.PurePosixPath(pattern)
    if p.is_absolute() and not q.is_absolute() and len(q.parts) >= len(p.parts):
        return None
    return str(int(p.match(pattern)))


def compare(a, b):
    p, q = pathlib.PurePosixPath(a), pathlib.PurePosixPath(b)
    if not (a + b).isascii() or not p.parts or not q.parts:
        return None
    return sign(str(p).split("/"), str(q).split("/"))


def with_name(path, name):
    return None if "/" in name else str(path.with_name(name))


def with_stem(path, stem):
    return None if "/" in stem or stem == "" and path.suffix else str(path.with_stem(stem))


OPERATIONS = {
    "str": lambda p, a, b: str(p),
    "name": lambda p, a, b: p.name,
    "stem": lambda p, a, b: p.stem,
    "suffix": lambda p, a, b: p.suffix,
    "suffixes": lambda p, a, b: items(p.suffixes),
    "parts": lambda p, a, b: items(p.parts),
    "root": lambda p, a, b: p.root,
    "parent": lambda p, a, b: str(p.parent),
    "parents": lambda p, a, b: items(map(str, p.parents)),
    "join": lambda p, a, b: str(p.joinpath(b)),
    "with_name": lambda p, a, b: with_name(p, b),
    "with_stem": lambda p, a, b: with_stem(p, b),
    "with_suffix": lambda p, a, b: None if p.stem + b == "." else str(p.with_suffix(b)),
    "relative_to": lambda p, a, b: str(p.relative_to(b)),
    "is_relative_to": lambda p, a, b: str(int(p.is_relative_to(b))),
    "match": lambda p, a, b: match(a, b),
    "compare": lambda p, a, b: compare(a, b),
    "as_uri": lambda p, a, b: p.as_uri(),
}


def hexed(value):
    return os.fsencode(value).hex() or "-"


def show(operation, a, b, answer):
    print(operation, hexed(a), hexed(b), "!" if answer is None else hexed(answer))


def pure(rng):
    operations = list(OPERATIONS)
    done = 0
    while done < PURE:
        operation = operations[done % len(operations)]
        a = text(rng, NAMES)
        b = text(rng, PATTERNS if operation == "match" else NAMES)
        if operation in ("relative_to", "is_relative_to") and rng.random() < 0.7:
            b, a = a, a + "/" + b
        elif operation.startswith("with"):
            b = rng.choice(["", ".", ".x", "x", "x.y", ".x/y"] + NAMES)
        try:
            answer = OPERATIONS[operation](pathlib.PurePosixPath(a), a, b)
        except ValueError:
            show(operation, a, b, None)
        else:
            if answer is None:
                continue
            show(operation, a, b, answer)
        done += 1


def plant(rng, folder, depth):
    os.makedirs(folder, exist_ok=True)
    for name in IN_TREE:
        chance = rng.random()
        if chance < 0.4 and depth < 4:
            plant(rng, os.path.join(folder, name), depth + 1)
        elif chance < 0.7:
            with open(os.path.join(folder, name), "w", encoding="ascii"):
                pass
        elif chance < 0.75:
            os.symlink("..", os.path.join(folder, name))


def searches(rng, folder):
    done = 0
    while done < SEARCHES:
        operation = rng.choice(["glob", "rglob"])
        parts = [rng.choice(SEARCHED) for _ in range(rng.randint(1, 4))]
        pattern = "/".join(parts) + rng.choice(["", "", "/"])
        if parts.count("**") > 2 or (parts[-1] in ("**", ".") and not pattern.endswith("/")):
            continue
        if not [part for part in parts if part != "."]:
            continue
        found = getattr(pathlib.Path(folder), operation)(pattern)
        show(operation, folder, pattern, items(sorted(set(map(str, found)), key=os.fsencode)))
        done += 1


def main():
    rng = random.Random(SEED)
    pure(rng)
    below = os.path.join(sys.argv[1], "t/t/t/t/t")  # so deep that no pattern leads out of FOLDER
    plant(rng, below, 0)
    searches(rng, below)


if __name__ == "__main__":
    main()
