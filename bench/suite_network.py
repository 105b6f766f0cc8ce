# SPDX-License-Identifier: MIT
"""The suites that load a server: echo, connect, unix, udp, http, files, memory.

Each server without a timeout stands beside the same server with one around each receive.
"""

import os
import pathlib
import tempfile

import programs
import report
import rounds
import serving

# AnyIO and Go with timeouts are measured once, in the echo suite.
SOME_SERVERS = [s for s in programs.ECHO_SERVERS if not (s.far and s.plain)]


def suite_echo(options):
    everyone = serving.present(options, programs.ECHO_SERVERS)
    near = serving.present(options, programs.ECHO_SERVERS, far=False)
    cases = []

    def add(size, connections, busy=None):
        arguments = ["--connections", connections, "--busy", busy or connections, "--size", size]
        longer = 2 if connections * size > 1 << 28 else 1  # a round trip of all takes 0.3 s
        some = f" of which {busy} busy" if busy else ""
        cases.append((f"{size} x {connections}" + (f" / {busy}" if busy else ""),
                      f"echo, {connections} connections{some}, {report.size_name(size)}",
                      everyone if (size, connections) == (64, 50) else near,
                      lambda argv: serving.load_once(options, argv, arguments, longer=longer)))

    for size in options.sizes:
        for count in options.connections:
            add(size, count)
    if max(options.connections) >= 10000:
        add(64, max(options.connections), 50)
    serving.run_cases(options, "echo", "msg", "epoll", cases)


def suite_connect(options):
    arguments = ["--connect-rate", "--in-flight", 50, "--size", 64]
    serving.run_cases(options, "connect", "conn", "epoll", [
        ("50", "connect, echo 64 B, close; 50 at once",
         serving.present(options, SOME_SERVERS),
         lambda argv: serving.load_once(options, argv, arguments))])


def suite_unix(options):
    servers = serving.present(options, SOME_SERVERS)
    arguments = ["--connections", 50, "--size", 64]
    serving.run_cases(options, "unix", "msg", "epoll", [
        ("64 x 50", "echo over UNIX sockets, 50 connections, 64 B", servers,
         lambda argv: serving.load_once(options, argv, arguments, unix=True))])


def suite_udp(options):
    servers = serving.present(options, programs.UDP_SERVERS)
    arguments = ["--udp", "--connections", 50, "--size", 64]
    serving.run_cases(options, "udp", "msg", "epoll", [
        ("64 x 50", "echo by UDP, 50 clients, 64 B", servers,
         lambda argv: serving.load_once(options, argv, arguments))])


def suite_http(options):
    if serving.wrk_is_here():
        serving.run_cases(options, "http", "req", "uv-try", [
            ("50", "HTTP, GET / with keep-alive, 50 connections of wrk",
             serving.present(options, programs.HTTP_SERVERS),
             lambda argv: serving.wrk_once(options, argv, 50))])


def suite_files(options):
    """The same file again and again: it is in the page cache."""
    size = 1 << 20
    arguments = ["--get", "/file.bin", "--connections", 8, "--size", size]
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "file.bin").write_bytes(os.urandom(size))
        serving.run_cases(options, "files", "req", "sendfile", [
            ("1 MiB", "a file of 1 MiB over HTTP, 8 connections",
             serving.present(options, programs.FILE_SERVERS),
             lambda argv: serving.load_once(options, [*argv, "--root", folder], arguments,
                                            longer=2))])


def suite_memory(options):
    """Bytes of the server per connection that was opened, echoed nothing or one byte, and waits."""
    count = max(options.connections)
    arguments = ["--connections", count, "--busy", 1]
    servers = serving.present(options, [s for s in SOME_SERVERS if s.loop != "python"])
    results = rounds.interleave(options.rounds, list(servers),
                                lambda name: serving.load_once(options, servers[name][1],
                                                               arguments, longer=0.1))
    rows = [[name, report.cell(rounds.column(taken, "bytes_a_connection")),
             report.cell(rounds.column(taken, "rss_before_kib")),
             report.cell(rounds.column(taken, "rss_after_kib"))] for name, taken in results.items()]
    title = f"memory, {count} idle connections (resident and page tables)"
    report.print_table(title, ["server", "B/connection", "KiB before", "KiB after"], rows)
    rounds.save(options, "memory", {str(count): {"title": title, "results": results}})
