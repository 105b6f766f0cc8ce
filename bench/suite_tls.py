# SPDX-License-Identifier: MIT
"""The suite tls: echo over TLS, handshakes a second, and a quiet connection during many of them.

The load is load/tls_load.go: without Go there is no such suite. Servers with worker threads may use
more CPUs than one, also the load's if there are only two.
"""

import contextlib
import os

import programs
import report
import rounds
import serving
import targets

LOAD = "tls_load_go"
BASE = "mbedtls"
CONNECTIONS = 50
AT_ONCE = 10  # full handshakes: enough to keep a server busy; more of them end in long bursts
SIZES = (256, 16384, 65536)


def handshake_arguments(in_flight, *more):
    return ["--handshakes", "--in-flight", in_flight, *more]


def start_quiet(options, argv):
    """With real-time priority, so that it does not wait for a CPU when its answer is there."""
    quiet = programs.start_json(argv, options.load_cpu, urgent=True)
    if os.sched_getscheduler(quiet.pid) != os.SCHED_FIFO and "priority" not in options.left_out:
        options.left_out.add("priority")
        print("left out: real-time priority (not permitted): the quiet client may be late itself")
    return quiet


def storm_once(options, argv, cpus, longer):
    """One connection sends 64 B every 2 ms, while others shake hands again and again.

    It is a process of its own, or the other clients' work would delay it.
    """
    seconds, warmup = options.seconds * longer, options.warmup * longer
    with contextlib.ExitStack() as started:
        process, where = started.enter_context(programs.running(argv, cpus))
        common = [serving.load_program(options, LOAD), *where, "--seconds", str(seconds),
                  "--warmup", str(warmup)]
        quiet = start_quiet(options, [*common, "--size", "64", "--pause", "2ms"])
        started.callback(programs.stop, quiet)
        programs.read_line(quiet, "the quiet client does not connect")
        storm = programs.start_json([*common, *map(str, handshake_arguments(CONNECTIONS))],
                                    options.load_cpu)
        started.callback(programs.stop, storm)
        (quiet_result,) = programs.finish_json(quiet, seconds + warmup + 100)
        (storm_result,) = programs.finish_json(storm, 100)
        serving.check_alive(process)
        return {**quiet_result, "errors": quiet_result["errors"] + storm_result["errors"],
                "storm_rate": storm_result["rate"]}


def errors(taken):
    return sum(e or 0 for e in rounds.column(taken, "errors"))


def load_table(results, base):
    rows = []
    for name, taken in results.items():
        cells = [name]
        for key in ("server_cpu_us", "rate"):
            values = rounds.column(taken, key)
            cells += [report.cell(values),
                      report.ratio_cell(values, rounds.column(results.get(base, []), key))]
        rows.append([*cells, *(report.number(rounds.median(rounds.column(taken, key)))
                               for key in ("p50_us", "p99_us", "p999_us")), errors(taken)])
    return ["server", "CPU, us", f"/ {base}", "a second", f"/ {base}", "p50, us", "p99", "p99.9",
            "errors"], rows


def storm_table(results):
    rows = [[name, *(report.cell(rounds.column(taken, key))
                     for key in ("p50_us", "p99_us", "max_us", "storm_rate")), errors(taken)]
            for name, taken in results.items()]
    return ["server", "p50, us", "p99", "longest", "handshakes a second", "errors"], rows


def table(key, results, base=BASE):
    """Head and rows of one case."""
    return storm_table(results) if key == "storm" else load_table(results, base)


def all_cases(options):
    """(key, title, whether workers take part, measure(argv, cpus))."""
    def load(arguments, longer):
        return lambda argv, cpus: serving.load_once(options, argv, arguments, longer=longer,
                                                    load=LOAD, cpus=cpus)

    for size in SIZES:
        yield (f"{size} x {CONNECTIONS}",
               f"echo over TLS, {CONNECTIONS} connections, {report.size_name(size)}", False,
               load(["--connections", CONNECTIONS, "--size", size], 2))
    yield ("full", f"full TLS handshakes, {AT_ONCE} at once", True,
           load(handshake_arguments(AT_ONCE), 4))
    yield ("resumed", f"TLS handshakes with resumption, {CONNECTIONS} at once", True,
           load(handshake_arguments(CONNECTIONS, "--resume"), 2))
    yield ("storm", f"64 B over a quiet TLS connection while {CONNECTIONS} others shake hands",
           True, lambda argv, cpus: storm_once(options, argv, cpus, 7))


def go_is_here(options):
    programs.build_go(options.build, "tls_load", "load")
    if programs.find_program(options.build, LOAD) is None:
        print("left out: THE WHOLE SUITE tls (its load is a Go program, and Go is not installed)")
        return False
    return True


def suite_tls(options):
    if not go_is_here(options):
        return
    servers = serving.present(options, programs.TLS_SERVERS)
    saved = {}
    for key, title, workers_too, measure in all_cases(options):
        names = [name for name, (server, _) in servers.items() if workers_too or not server.workers]
        results = rounds.interleave(
            options.rounds, names, lambda name: measure(
                servers[name][1], programs.server_cpus(options, servers[name][0])))
        report.print_table(title, *table(key, results, options.base or BASE))
        saved[key] = {"title": title, "results": results}
    report.print_table("what anyc is held to",
                       *targets.table({"tls": saved}, targets.TLS_TARGETS))
    rounds.save(options, "tls", saved)
