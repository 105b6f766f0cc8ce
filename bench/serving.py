# SPDX-License-Identifier: MIT
"""Start a server, load it, end it; and the table of what came out."""

import shutil

import programs
import report
import rounds


def load_program(options, name="load"):
    load = programs.find_program(options.build, name)
    if load is None:
        raise SystemExit(f"no load generator in {options.build}; build first")
    return str(load)


def check_alive(process):
    if process.poll() is not None:
        raise programs.Failed(f"the server ended by itself with {process.returncode}")


def load_once(options, argv, arguments, unix=False, longer=1, load="load", cpus=None):
    """One measurement of a server by load/: what that printed. `longer`: times the usual time."""
    seconds, warmup = options.seconds * longer, options.warmup * longer
    with programs.running(argv, cpus or options.server_cpu, unix) as (process, where):
        results = programs.run_json(
            [load_program(options, load), *where, "--server-pid", str(process.pid),
             "--seconds", str(seconds), "--warmup", str(warmup), *map(str, arguments)],
            options.load_cpu, seconds + warmup + 100)
        check_alive(process)
        return results[0]


def wrk_once(options, argv, connections):
    """One measurement of an HTTP server by wrk, which counts in whole seconds."""
    with programs.running(argv, options.server_cpu) as (process, where):
        url = f"http://127.0.0.1:{where[1]}/"
        before = programs.cpu_ns(process.pid)
        results = programs.run_json(
            ["wrk", "-t1", f"-c{connections}", "-d1s", "-s", str(programs.BENCH / "load/wrk.lua"),
             url], options.load_cpu, 60)
        used = programs.cpu_ns(process.pid) - before
        if not results or results[0]["messages"] == 0:
            raise programs.Failed("wrk got no answer")
        results[0]["server_cpu_us"] = used / 1000 / results[0]["messages"]
        return results[0]


def wrk_is_here():
    if shutil.which("wrk") is None:
        print("left out: HTTP (wrk is not installed)")
        return False
    return True


def present(options, servers, far=True):
    """{name: (server, argv)} of those servers that are there; the far ones if asked for."""
    programs.build_go(options.build, "net")
    candidates = [(s, s.name, s.argv) for s in servers if far or not s.far]
    return {server.name: (server, argv) for server, argv in rounds.present(options, candidates)}


def best_raw(servers, results, loop, key="server_cpu_us"):
    """The rounds of the raw program on this loop that has the best median."""
    raw = [rounds.column(results[s.name], key) for s, _ in servers.values()
           if s.raw and s.loop == loop]
    return min(raw, key=rounds.median) if raw else []


def print_table(title, unit, servers, results, base_name):
    cpu = {name: rounds.column(results[name], "server_cpu_us") for name in servers}
    rows = []
    for name, (server, _) in servers.items():
        taken = results[name]
        without = report.ratio_cell(cpu[name], cpu[server.plain]) if server.plain in cpu else ""
        rows.append([name, report.cell(cpu[name]),
                     report.ratio_cell(cpu[name], cpu.get(base_name, [])),
                     report.ratio_cell(cpu[name], best_raw(servers, results, server.loop)), without,
                     report.cell(rounds.column(taken, "rate")),
                     *(report.number(rounds.median(rounds.column(taken, k)))
                       for k in ("p50_us", "p99_us", "p999_us")),
                     sum(e or 0 for e in rounds.column(taken, "errors"))])
    report.print_table(title, ["server", f"CPU us/{unit}", f"/ {base_name}", "/ raw, same loop",
                               "/ no timeout", f"{unit}/s", "p50 us", "p99", "p99.9", "errors"],
                       rows)


def run_cases(options, suite, unit, base, cases):
    """Measure each case (key, title, servers, measure(argv)) in interleaved rounds; print, save."""
    saved = {}
    for key, title, servers, measure in cases:
        results = rounds.interleave(options.rounds, list(servers),
                                    lambda name: measure(servers[name][1]))
        print_table(title, unit, servers, results, options.base or base)
        saved[key] = {"title": title, "results": results}
    rounds.save(options, suite, saved)
