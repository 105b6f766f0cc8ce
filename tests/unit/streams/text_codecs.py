# SPDX-License-Identifier: MIT
"""Random valid and invalid text, and what Python's codecs make of it.

    text_codecs.py ENCODING SEED SIZE FOLDER

Reads FOLDER/decode.table and FOLDER/encode.table, if they are there: what iconv makes of each byte
and pair of bytes, and of each character of the first plane. Where Python's tables differ (as they do
for a few characters of Shift-JIS), nothing is tried. Writes into FOLDER:

    decode.in, decode.MODE   bytes, and the text as UTF-8
    decode.errors            a line for each error: the offset and number of its bytes
    encode.in, encode.MODE   text as UTF-8, and the bytes
"""

import codecs
import os
import random
import sys

MODES = "ignore", "replace", "backslashreplace"
UNITS = {"utf-16": 2, "utf-32": 4}
# What is broken there each library decides in its own way, so nothing broken is tried; nor are the
# characters of a third set, between which and ASCII it need not shift, and the shifts themselves.
SHIFTS = "iso2022"
NOT_WITH_SHIFTS = "\x0e\x0f\x1b\xa5\u203e"


def read_table(path):
    """A list of answers, each a length (255: none) and so many bytes."""
    if not os.path.exists(path):
        return []
    with open(path, "rb") as file:
        data = file.read()
    answers = []
    at = 0
    while at < len(data):
        size = data[at]
        at += 1
        answers.append(None if size == 255 else data[at : at + size])
        at += 0 if size == 255 else size
    return answers


def attempt(function, *arguments):
    try:
        return function(*arguments)
    except UnicodeError:
        return None


class Generator:
    def __init__(self, encoding, seed, folder):
        self.encoding = encoding
        self.unit = next((UNITS[name] for name in UNITS if encoding.startswith(name)), 1)
        self.shifts = encoding.startswith(SHIFTS)
        self.random = random.Random(seed)
        self.bad_bytes = set()
        self.bad_characters = set()
        for i, answer in enumerate(read_table(os.path.join(folder, "decode.table"))):
            raw = bytes([i]) if i < 256 else bytes(divmod(i - 256, 256))
            text = attempt(raw.decode, encoding)
            if (text.encode() if text is not None else None) != answer:
                self.bad_bytes.add(raw)
        for i, answer in enumerate(read_table(os.path.join(folder, "encode.table"))):
            if not 0xD800 <= i < 0xE000 and attempt(chr(i).encode, encoding) != answer:
                self.bad_characters.add(chr(i))
        everything = (chr(i) for i in range(0x80, 0x10000) if not 0xD800 <= i < 0xE000)
        self.known = [c for c in everything
                      if c not in self.bad_characters and attempt(c.encode, encoding)]

    def character(self):
        kind = self.random.random()
        if kind < 0.4:
            c = chr(self.random.randrange(0x80))
        elif kind < 0.8 and self.known:
            c = self.random.choice(self.known)
        elif kind < 0.9:
            c = chr(self.random.randrange(0xA0, 0xD800))
        else:
            c = chr(self.random.randrange(0x10000, 0x110000))
        if self.shifts and c in NOT_WITH_SHIFTS:
            return "x"
        return c if c not in self.bad_characters else "x"

    def text(self, size):
        return "".join(self.character() for _ in range(size))

    def encoded(self, size):
        name = self.encoding
        if name in UNITS: # the mark comes once
            name += "-le" if sys.byteorder == "little" else "-be"
        if name == "utf-8-sig":
            name = "utf-8"
        return self.text(size).encode(name, "ignore")

    def piece(self):
        kind = self.random.random()
        if kind < 0.5 or self.shifts:
            return self.encoded(self.random.randrange(1, 40))
        if kind < 0.8:
            size = self.random.randrange(1, 4) * self.unit
            if self.random.random() < 0.01:
                size += 1
            return self.random.randbytes(size)
        cut = self.encoded(1)[: -self.unit]
        return cut + self.encoded(1)

    def data(self, size):
        pieces = ["".encode(self.encoding)]
        total = 0
        while total < size:
            pieces.append(self.piece())
            total += len(pieces[-1])
        data = bytearray(b"".join(pieces))
        if self.bad_bytes and not self.shifts:
            for i in range(len(data)):
                if bytes(data[i : i + 1]) in self.bad_bytes:
                    data[i] = 0x41
                if i > 0 and bytes(data[i - 1 : i + 1]) in self.bad_bytes:
                    data[i] = 0x20
        return bytes(data)


def write(folder, name, data):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)


def main():
    encoding, seed, size, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    generator = Generator(encoding, seed, folder)
    data = generator.data(size)
    text = generator.text(size // 3)
    errors = []

    skipped = 3 if encoding == "utf-8-sig" else 0 # its errors are counted from behind the mark

    def note(error):
        errors.append(b"%d %d\n" % (error.start + skipped, error.end - error.start))
        return "", error.end

    codecs.register_error("note", note)
    data.decode(encoding, "note")
    write(folder, "decode.in", data)
    write(folder, "decode.errors", b"".join(errors))
    write(folder, "encode.in", text.encode())
    for mode in MODES:
        write(folder, "decode." + mode, data.decode(encoding, mode).encode())
        write(folder, "encode." + mode, text.encode(encoding, mode))
    print(f"{encoding}: seed {seed}, {len(data)} bytes, {len(errors)} errors, "
          f"{len(generator.bad_bytes)} and {len(generator.bad_characters)} left out")


main()
