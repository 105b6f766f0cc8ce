#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What pathlib answers: usage: path_pathlib.py FOLDER. Makes a tree in FOLDER.

Each line it prints is a question: an operation, its two arguments and the answer, in hexadecimal
("-": empty), "!" for an error. A NUL ends each item of a list. The seed is fixed. Left out, before
Python 3.13, is what it changed: final "**" in searches, the root against a relative pattern,
slashes in new names, new names ".", empty stems, and circles of links. What older ones do not have
at all (full_match, relative_to with walk_up) has a model here, written after the documentation of
3.13, which is compared with the real one where there is one.
"""

import fnmatch
import os
import pathlib
import random
import re
import sys

SEED = 20261122
PURE = 6000
FULL_MATCHES = 2500
SEARCHES = 500
RESOLVES = 500
NEW = sys.version_info >= (3, 13)
NAMES = ["a", "b", "ab", "A", ".a", "a.b", "a.b.c", "..a", "a.", ".", "..", "...", "", "a b", "%",
         "\u00e5", "\u20ac", "a\udcff", "\udcc3", "[", "]", "-", "!", "a-b", "aa", "\U0001f600",
         "a\nb"]
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
    if p.is_absolute() and not q.is_absolute() and len(q.parts) >= len(p.parts) and (
            not NEW or "[" in pattern):
        return None
    return str(int(p.match(pattern)))


def compare(a, b):
    p, q = pathlib.PurePosixPath(a), pathlib.PurePosixPath(b)
    if not (a + b).isascii() or not p.parts or not q.parts:
        return None
    return sign(str(p).split("/"), str(q).split("/"))


def with_name(path, name):
    return None if "/" in name and not NEW else str(path.with_name(name))


def with_stem(path, stem):
    left_out = not NEW and ("/" in stem or stem == "" and path.suffix)
    return None if left_out else str(path.with_stem(stem))


def with_suffix(path, suffix):
    return None if path.stem + suffix == "." and not NEW else str(path.with_suffix(suffix))


def relative_up_model(path, other):
    for steps, base in enumerate([other, *other.parents]):
        if path == base or base in path.parents:
            rest = path.parts[len(base.parts):]
            return str(pathlib.PurePosixPath(*[".."] * steps, *rest))
        if base.name == "..":
            break
    raise ValueError


def relative_up(path, other):
    other = pathlib.PurePosixPath(other)
    if NEW:
        return str(path.relative_to(other, walk_up=True))
    return relative_up_model(path, other)


def part_regex(part):
    """One part of a pattern: nothing in it stands for a slash, unlike in fnmatch."""
    regex = ""
    while part:
        end = part.find("]", 3 if part[1:2] == "!" else 2) if part[0] == "[" else -1
        size = end + 1 if end > 0 else 1
        item, part = part[:size], part[size:]
        if item == "*":
            regex += "[^/]*"
        elif item == "?":
            regex += "[^/]"
        elif size > 1:
            regex += "(?!/)" + fnmatch.translate(item)
        else:
            regex += re.escape(item)
    return regex.replace("\\Z", "").replace("\\z", "")


def full_match_model(path, pattern):
    parts = str(pattern).split("/") if pattern.parts else [""]
    regex = ""
    for i, part in enumerate(parts):
        is_last = i == len(parts) - 1
        if part == "**":
            if is_last:
                regex += ".*"
            elif parts[i + 1] != "**":
                regex += "(?:.+/)?"
            continue
        regex += "[^/]+" if part == "*" else part_regex(part)
        regex += "" if is_last else "/"
    return re.fullmatch(regex, str(path) if path.parts else "", re.DOTALL) is not None


def full_match(path, pattern):
    pattern = pathlib.PurePosixPath(pattern)
    answer = full_match_model(path, pattern)
    if NEW and "[" not in str(pattern) and path.full_match(pattern) != answer:
        sys.exit(f"the model of full_match is wrong for {path!r} and {pattern!r}")
    return str(int(answer))


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
    "with_suffix": lambda p, a, b: with_suffix(p, b),
    "relative_to": lambda p, a, b: str(p.relative_to(b)),
    "relative_up": lambda p, a, b: relative_up(p, b),
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
        if operation == "relative_up" and rng.random() < 0.7:
            a, b = a + "/" + text(rng, NAMES), a + "/" + b
        elif operation in ("relative_to", "is_relative_to") and rng.random() < 0.7:
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


def pattern_for(rng, path):
    """A pattern that may well match the path."""
    parts = []
    for part in path.split("/"):
        if rng.random() < 0.2:
            parts.append("**")
        way = rng.random()
        if way < 0.4:
            parts.append(part)
        elif way < 0.6:
            parts.append("*")
        elif way < 0.7:
            parts.append(part[:1] + "*")
        elif way < 0.8:
            parts.append("?" + part[1:])
        elif way < 0.9:
            parts.append("**" if rng.random() < 0.5 else rng.choice(PATTERNS))
    return "/".join(parts)


def full_matches(rng):
    for _ in range(FULL_MATCHES):
        a = text(rng, NAMES)
        b = text(rng, PATTERNS + ["**", "***", "a**"])
        if rng.random() < 0.8:
            b = pattern_for(rng, a)
        show("full_match", a, b, full_match(pathlib.PurePosixPath(a), b))


def plant_links(rng, folder, depth):
    """Directories with links to others. Before 3.13 none leads to one that may lead back."""
    os.makedirs(folder)
    for i in range(8):
        links = [f"l{k}" for k in range(8 if NEW else i)]
        parts = [rng.choice(["a", "b", "..", ".."] + links) for _ in range(rng.randint(1, 3))]
        start = rng.choice(["", "", "", "./", folder + "/"])
        os.symlink(start + "/".join(parts), os.path.join(folder, f"l{i}"))
    for name in ["a", "b"]:
        if depth < 3:
            plant_links(rng, os.path.join(folder, name), depth + 1)


def resolves(rng, folder):
    names = ["a", "b", "..", "missing"] + [f"l{i}" for i in range(8)] * 2
    for i in range(RESOLVES):
        strict = i % 2 == 1
        a = folder + "/" + "/".join(rng.choice(names) for _ in range(rng.randint(1, 6)))
        try:
            answer = os.path.realpath(pathlib.Path(a), strict=strict)
        except OSError:
            answer = None
        show("resolve_strict" if strict else "resolve", a, "", answer)


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
        if parts.count("**") > 2 or (
                not NEW and parts[-1] in ("**", ".") and not pattern.endswith("/")):
            continue
        if not [part for part in parts if part != "."]:
            continue
        found = getattr(pathlib.Path(folder), operation)(pattern)
        show(operation, folder, pattern, items(sorted(set(map(str, found)), key=os.fsencode)))
        done += 1


def main():
    rng = random.Random(SEED)
    pure(rng)
    full_matches(rng)
    below = os.path.join(sys.argv[1], "t/t/t/t/t")  # so deep that no pattern leads out of FOLDER
    plant(rng, below, 0)
    searches(rng, below)
    links = os.path.join(sys.argv[1], "links")
    plant_links(rng, links, 0)
    resolves(rng, links)


if __name__ == "__main__":
    main()
