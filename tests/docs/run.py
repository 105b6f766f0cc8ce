#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run a program of a page as the page says, and compare what it prints:
usage: run.py PAGE NUMBER [--launcher COMMAND]... PROGRAM

pages.py says how a page tells it. Exit code 77: a command is missing here.
"""

import argparse
import difflib
import os
import pathlib
import random
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import pages

TIMEOUT = 20 * float(os.environ.get("ANYC_TESTING_TIMEOUT_SCALE", "1"))
BUILT_IN = {"echo", "printf", "[", "test", "true", "wait"}


def commands(transcript):
    """Pairs of a command and its output."""
    if transcript.language == "text":
        return [("./program 2>&1", transcript.text)]
    found = []
    for line in transcript.text.splitlines(keepends=True):
        if line.startswith("$ "):
            found.append((line[2:].rstrip("\n"), ""))
        elif found:
            found[-1] = (found[-1][0], found[-1][1] + line)
    return found


def missing(command):
    """A program that the command names first, or after a |, and that is not here."""
    for part in re.split(r"\s(?:\|\|?|&&)\s|;", command):
        words = shlex.split(part, comments=True)
        if words and words[0] not in BUILT_IN and "/" not in words[0]:
            if shutil.which(words[0]) is None:
                return words[0]
            if words[:2] == ["nc", "-N"] and "-N" not in nc_help():
                return "nc -N"
    return None


def nc_help():
    done = subprocess.run(["nc", "-h"], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def without_tools(output):
    """What Valgrind says of itself, when it runs the program, is not the program's."""
    return re.sub(r"(?m)^--\d+-- .*\n", "", output)


def matches(expected, output):
    pattern = ".*".join(re.escape(part) for part in expected.split("..."))
    return re.fullmatch(pattern, output) is not None


def free_port():
    """One that the system does not give to other tests meanwhile, as it may those it chooses."""
    while True:
        port = random.randrange(20000, 30000)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue


def wait_for_listener(port, process):
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError("the program in the background does not listen")


def run_all(transcript, folder, port):
    """Answers whether each command printed what the page says."""
    background = []
    good = True
    try:
        for command, expected in commands(transcript):
            command, expected = (re.sub(rf"\b{pages.PORT}\b", str(port), text)
                                 for text in (command, expected))
            if command.endswith("&"):
                background.append(subprocess.Popen(
                    ["bash", "-c", "exec " + command.rstrip("& ")], cwd=folder))
                wait_for_listener(port, background[-1])
                continue
            done = subprocess.run(["bash", "-c", command], cwd=folder, text=True, timeout=TIMEOUT,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
            if done.returncode != 0 or not matches(expected, without_tools(done.stdout)):
                good = False
                print(f"$ {command}\nexit code {done.returncode}; the page against the output:")
                print("".join(difflib.unified_diff(
                    expected.splitlines(keepends=True), done.stdout.splitlines(keepends=True),
                    "page", "output")))
    finally:
        for process in background:
            process.terminate()
            process.wait()
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("number", type=int)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--launcher", action="append", default=[])
    options = parser.parse_args()
    transcript = pages.programs(options.page)[options.number - 1].transcript
    if transcript is None:
        print("nothing after the program shows what it prints")
        return 1
    for command, _ in commands(transcript):
        if missing(command) is not None:
            print(f"there is no {missing(command)} here")
            return 77
    port = free_port()
    os.environ["DOCUMENTS_PORT"] = str(port)
    with tempfile.TemporaryDirectory() as folder:
        start = pathlib.Path(folder) / "program"
        start.write_text("#!/bin/sh\nexec "
                         + shlex.join([*options.launcher, str(options.program.resolve())])
                         + ' "$@"\n')
        start.chmod(0o755)
        return not run_all(transcript, folder, port)


if __name__ == "__main__":
    sys.exit(main())
