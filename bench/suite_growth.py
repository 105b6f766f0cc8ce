# SPDX-License-Identifier: MIT
"""How the network figures grow: each measured at four sizes.

The total cost, n times the cost for one, must not grow faster than n: report.growth_exponent().
"""

import dataclasses

import programs
import report
import rounds
import serving

PLAIN = ["epoll", "uv-try", "event", "anyc-libuv", "anyc-libevent"]
TIMED = ["anyc-libuv+timeout", "anyc-libevent+timeout"]
ROUNDS = 3  # at most
SHORTER = 0.6  # of the usual time, since there are many points


@dataclasses.dataclass
class Runs:
    """Servers that are measured at some counts, and what is read from each result."""

    counts: tuple
    servers: dict
    measure: object  # (argv, count) -> result
    costs: list  # of (key, title, unit, function (result, count) -> cost of one)


def cpu_us(result, _):
    return result.get("server_cpu_us")


def cpu_ns_of_a_byte(result, count):
    return result["server_cpu_us"] * 1000 / count if "server_cpu_us" in result else None


def memory(result, _):
    return max(0, result["bytes_a_connection"])


def all_runs(options):
    tcp = serving.present(options, [s for s in programs.ECHO_SERVERS if s.name in PLAIN + TIMED])
    plain = {name: found for name, found in tcp.items() if name in PLAIN}
    udp = serving.present(options, [s for s in programs.UDP_SERVERS if s.name in PLAIN])
    http = serving.present(options, [s for s in programs.HTTP_SERVERS if s.name in PLAIN])

    def load(*arguments, unix=False):
        return lambda argv, count: serving.load_once(
            options, argv, [count if a == "N" else a for a in arguments], unix, SHORTER)

    yield Runs((10, 100, 1000, 10000), tcp, load("--connections", "N"), [
        ("connections", "echo 64 B over n connections", "us a message", cpu_us),
        ("memory", "memory of n connections", "bytes a connection", memory)])
    yield Runs((64, 1024, 16384, 65536), plain, load("--connections", 50, "--size", "N"), [
        ("sizes", "echo n bytes over 50 connections", "ns a byte", cpu_ns_of_a_byte)])
    yield Runs((1, 10, 100, 1000), plain, load("--connect-rate", "--in-flight", "N"), [
        ("connect", "connect, echo 64 B, close; n at once", "us a connection", cpu_us)])
    yield Runs((10, 100, 1000, 10000), plain, load("--connections", "N", unix=True), [
        ("unix", "echo 64 B over n UNIX connections", "us a message", cpu_us)])
    yield Runs((2, 10, 50, 200), udp, load("--udp", "--connections", "N"), [
        ("udp", "echo 64 B by UDP, n clients", "us a message", cpu_us)])
    if serving.wrk_is_here():
        yield Runs((1, 10, 100, 1000), http,
                   lambda argv, count: serving.wrk_once(options, argv, count), [
                       ("http", "HTTP requests over n connections", "us a request", cpu_us)])


def take(options, runs):
    """{(server, count): results}, all of them once, then again."""
    points = [(name, count) for count in runs.counts for name in runs.servers]
    return rounds.interleave(min(options.rounds, ROUNDS), points,
                             lambda point: runs.measure(runs.servers[point[0]][1], point[1]))


def suite_growth_network(options):
    saved = {}
    for runs in all_runs(options):
        taken = take(options, runs)
        for key, title, unit, cost in runs.costs:
            costs = {name: [[r and cost(r, count) for r in taken[name, count]]
                            for count in runs.counts] for name in runs.servers}
            report.print_table(f"growth: {title}, {unit}", ["server", *runs.counts, "total"],
                               [[name, *report.growth_row(runs.counts, per_count)]
                                for name, per_count in costs.items()])
            saved[key] = {"title": title, "unit": unit, "counts": runs.counts, "costs": costs}
    print(f"\ngrowth: {report.growth_verdict(saved)}")
    rounds.save(options, "growth_network", saved)
