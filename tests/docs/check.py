#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check the pages without running anything: usage: check.py PROJECT --c COMPILER

Fragments of C must compile (pages.py says how), programs must show what they print, and links must
lead to files and headings that exist.
"""

import argparse
import pathlib
import re
import subprocess
import sys

import pages

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *#*$", re.M)
DEFINES = re.compile(r"^\{", re.M)
FLAGS = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-unused", "-Wno-uninitialized",
         "-fsyntax-only", "-x", "c", "-"]


def source(page, block, number):
    line = f'#line {block.line} "{page}"\n'
    if "#include" in block.text:
        return line + block.text
    head = "#include <math.h>\n#include <stdio.h>\n#include <string.h>\n#include <anyc/anyc.h>\n"
    if DEFINES.search(block.text):
        return f"{head}{block.given}\n{line}{block.text}"
    return (f"{head}int fragment_{number}(void);\nint fragment_{number}(void)\n{{\n{block.given}\n"
            f"{line}{block.text}\nreturn 0;\n}}\n")


def fragment_problems(page, compiler, include):
    for number, block in enumerate(pages.blocks(page)):
        if block.language != "c" or block.is_program():
            continue
        done = subprocess.run([compiler, f"-I{include}", *FLAGS], input=source(page, block, number),
                              text=True, capture_output=True, check=False)
        if done.returncode != 0:
            yield f"{page}:{block.line}: does not compile:\n{done.stderr}"


def program_problems(page):
    for program in pages.programs(page):
        if program.transcript is None:
            yield f"{page}:{program.block.line}: nothing after the program shows what it prints"


def prose(page):
    """The text without its blocks, line by line the same."""
    return pages.BLOCK.sub(lambda match: "\n" * match[0].count("\n"), page.read_text())


def anchors(page):
    """The names that GitHub gives to headings."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            for heading in HEADING.findall(prose(page))}


def link_problems(page):
    text = prose(page)
    for match in LINK.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        target, _, anchor = match[1].partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (page.parent / target).resolve() if target else page
        if not file.exists():
            yield f"{page}:{line}: no file {target}"
        elif anchor and anchor not in anchors(file):
            yield f"{page}:{line}: no heading #{anchor} in {file.name}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("project", type=pathlib.Path)
    parser.add_argument("--c", required=True)
    options = parser.parse_args()
    include = pathlib.Path(__file__).resolve().parents[2] / "include"
    all_pages = pages.pages(options.project)
    problems = []
    for page in all_pages:
        problems += [*fragment_problems(page, options.c, include), *program_problems(page),
                     *link_problems(page)]
    print("\n".join(problems) or f"{len(all_pages)} pages are in order")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
