#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write the programs of the pages to files: usage: extract.py PROJECT FOLDER

Prints one line for each, for CMake: its page, its number there, its name, and what it needs.
"""

import pathlib
import re
import sys

import pages

NEEDS = [  # what is needed, the sign of it
    ("libuv", r"#include <uv\.h>"),
    ("libevent", r"#include <event2/"),
    ("testing", r"#include <anyc/testing\.h>"),
    ("tls", r"\banyc_tls_|\.tls = "),
    ("port", rf"\b{pages.PORT}\b"),
]


def write_if_new(path, text):
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def main():
    project, folder = (pathlib.Path(argument) for argument in sys.argv[1:])
    folder.mkdir(parents=True, exist_ok=True)
    for page in pages.pages(project):
        name = pages.name_of(project, page)
        for number, program in enumerate(pages.programs(page), 1):
            text = program.block.text
            needs = [need for need, sign in NEEDS if re.search(sign, text)]
            file = f"{name.replace('/', '_')}_{number}"
            write_if_new(folder / f"{file}.c",
                         re.sub(rf"\b{pages.PORT}\b", "documents_port()", text))
            print(page.relative_to(project).as_posix(), number, f"{name}/{number}", file,
                  "+".join(needs) or "nothing", sep=",")


if __name__ == "__main__":
    sys.exit(main())
