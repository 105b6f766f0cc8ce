#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The pages of the project and what stands in their fenced blocks; the scripts here share it.

A ```c block that has a main(), or tests, is a program. The block after it shows what it prints:
```text is the output of ./program, ```console holds commands after "$ " with the output of each. In
an output "..." stands for anything within a line. Each command ends with exit code 0. One that ends
with & is a server: it listens on port 7000, which stands for a free one in programs and commands, and
runs until the last command has ended; nobody looks at its output.

Every other ```c block is a fragment. It is compiled as a file of its own if it includes something,
else within a function, or at file scope if it defines functions; a comment before it, that is
not shown, may declare what it uses: <!-- given: int rc; anyc_byte_stream *stream; -->
"""

import re
import typing

BLOCK = re.compile(
    r"(?:^<!-- given: (?P<given>(?:(?!-->).)*?)-->\n+)?"
    r"^(?P<fence>```+)(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=fence) *$", re.M | re.S)
PROGRAM = re.compile(r"^int main\(|^ANYC_TEST", re.M)
PORT = "7000"


class Block(typing.NamedTuple):
    language: str
    text: str
    line: int  # of the page, where the text begins
    given: str

    def is_program(self):
        return self.language == "c" and PROGRAM.search(self.text) is not None


class Program(typing.NamedTuple):
    block: Block
    transcript: typing.Optional[Block]


def pages(project):
    """Every .md file of the project, but not those in build folders."""
    return [path for path in sorted(project.rglob("*.md"))
            if not path.relative_to(project).parts[0].startswith(("build", "."))]


def blocks(page):
    text = page.read_text()
    return [Block(match["language"], match["text"], text.count("\n", 0, match.start("text")) + 1,
                  match["given"] or "")
            for match in BLOCK.finditer(text)]


def programs(page):
    """The programs of a page, in order, each with the block that shows what it prints."""
    all_blocks = blocks(page)
    found = []
    for block, following in zip(all_blocks, all_blocks[1:] + [None]):
        if block.is_program():
            shows = following is not None and following.language in ("text", "console")
            found.append(Program(block, following if shows else None))
    return found


def name_of(project, page):
    """guide/tls for docs/guide/tls.md."""
    name = page.relative_to(project).with_suffix("").as_posix().lower()
    return name.removeprefix("docs/")
