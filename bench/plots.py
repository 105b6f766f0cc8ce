# SPDX-License-Identifier: MIT
"""The figures of docs/performance.md: docs/plots/*.svg, drawn by gnuplot from the results."""

import shutil
import subprocess

import report
import rounds

COLOURS = {"anyc-libuv": "#0060ad", "anyc-libevent": "#dd181f", "anyc-libuv+timeout": "#66a3d2",
           "anyc-libevent+timeout": "#f08080", "epoll": "#555555", "uv-try": "#5e9c36",
           "event": "#e69f17", "go": "#00add8"}
SET_UP = """set terminal svg size 720,400 dynamic noenhanced \\
    font "sans-serif,12" background "#ffffff"
set border 3
set tics nomirror
set grid y linecolor rgb "#dddddd"
set key outside right top
set title "{title}"
set ylabel "{unit}"
"""


def quoted(text):
    return '"' + str(text).replace('"', "'") + '"'


def draw(folder, name, script):
    """Let gnuplot write one file. A script that it refuses is a bug: say so."""
    run = subprocess.run(["gnuplot"], input=script, capture_output=True, text=True, timeout=60)
    if run.returncode != 0 or "<svg" not in run.stdout:
        print(f"  {name}.svg: gnuplot: {run.stderr.strip()}")
        return
    lines = (line.strip() for line in run.stdout.splitlines())
    (folder / f"{name}.svg").write_text("\n".join(line for line in lines if line) + "\n")


def median_of(values):
    values = report.present(values)
    return report.spread(values)["median"] if values else None


def curves(folder, name, growth):
    """A line for each server over the counts, with bars from minimum to maximum."""
    data, lines = [], []
    for server, costs in growth["costs"].items():
        points = [(count, report.spread(report.present(taken)))
                  for count, taken in zip(growth["counts"], costs) if report.present(taken)]
        if not any(point["median"] > 0 for _, point in points):
            continue
        block = f"$d{len(data)}"
        data.append(f"{block} << EOD\n" + "".join(
            f"{count} {p['median']} {p['min']} {p['max']}\n" for count, p in points) + "EOD\n")
        colour = f'rgb "{COLOURS[server]}"' if server in COLOURS else len(data)
        lines.append(f"{block} using 1:2 with lines linewidth 2 linecolor {colour} "
                     f"title {quoted(server)}")
        lines.append(f"{block} using 1:2:3:4 with yerrorbars linecolor {colour} "
                     "pointtype 7 pointsize 0.5 notitle")
    if not lines:
        return
    logarithmic = "xy" if growth["unit"].startswith("ns") else "x"
    script = SET_UP.format(title=growth["title"], unit=growth["unit"])
    script += "".join(data) + f"set logscale {logarithmic}\nset xlabel \"n\"\n"
    script += "" if "y" in logarithmic else "set yrange [0:*]\n"
    draw(folder, name, script + "plot " + ", \\\n".join(lines) + "\n")


def bars(folder, name, title, unit, groups, series, logarithmic=False):
    """`series`: {name: a value for each group}. Clustered bars."""
    series = {key: values for key, values in series.items() if any(v is not None for v in values)}
    if not series:
        return
    table = "".join(" ".join([quoted(group), *("NaN" if v[i] is None else f"{v[i]:.6g}"
                                               for v in series.values())]) + "\n"
                    for i, group in enumerate(groups))
    script = SET_UP.format(title=title, unit=unit)
    script += f"$data << EOD\n{table}EOD\nset style data histograms\n"
    script += "set style histogram clustered gap 1\nset style fill solid 0.8 noborder\n"
    script += f"set xtics rotate by {-60 if len(groups) > 15 else -35}\n"
    script += "set logscale y\n" if logarithmic else "set yrange [0:*]\n"
    lines = [f"$data using {i + 2}:xtic(1) title {quoted(key)}" +
             (f" linecolor rgb \"{COLOURS[key]}\"" if key in COLOURS else "")
             for i, key in enumerate(series)]
    draw(folder, name, script + "plot " + ", \\\n".join(lines) + "\n")


def field(case, key):
    """{server: median of one figure}."""
    return {name: median_of(rounds.column(taken, key)) for name, taken in case["results"].items()}


def draw_echo(folder, echo):
    counts = [n for n in ("50", "1000", "10000") if f"64 x {n}" in echo]
    by_count = [field(echo[f"64 x {n}"], "server_cpu_us") for n in counts]
    near = [name for name in (by_count[-1] if by_count else {}) if "+" not in name]
    bars(folder, "echo-64", "echo 64 B: server CPU time of a message", "us",
         [f"{n} connections" for n in counts], {n: [c.get(n) for c in by_count] for n in near})
    case = echo.get("64 x 50")
    if case is None:
        return
    names = [name for name in case["results"] if "+" not in name]
    bars(folder, "latency", "echo 64 B, 50 connections: latency", "us", names,
         {label: [field(case, key).get(name) for name in names]
          for label, key in (("p50", "p50_us"), ("p99", "p99_us"), ("p99.9", "p999_us"))}, True)
    rates = field(case, "rate")
    bars(folder, "rate", "echo 64 B, 50 connections: rate", "messages a second", names,
         {"without a timeout": [rates.get(name) for name in names],
          "with a timeout around each receive": [rates.get(f"{name}+timeout") for name in names]})


def draw_http(folder, http):
    for case in http.values():
        rates = field(case, "rate")
        names = [name for name in rates if "+" not in name]
        bars(folder, "http", case["title"], "requests a second", names,
             {"without a timeout": [rates[name] for name in names],
              "with a timeout": [rates.get(f"{name}+timeout") for name in names]})


def draw_micro(folder, micro):
    """Times relative to Go's, for the measures that Go has."""
    values = {measure: {name: median_of(rounds.column(taken, "value"))
                        for name, taken in programs.items()} for measure, programs in micro.items()}
    values = {measure: by_name for measure, by_name in values.items() if by_name.get("go")}
    names = sorted({name for by_name in values.values() for name in by_name} - {"go"})
    bars(folder, "micro", "tasks, streams, locks; Go = 1", "ratio", list(values),
         {name: [v[name] / v["go"] if v.get(name) else None for v in values.values()]
          for name in names}, True)


def draw_growth_micro(folder, growths):
    """anyc on libuv alone: a line for each measure that has the usual counts."""
    usual = next(iter(growths.values()))["counts"]
    costs = {measure: growth["costs"]["anyc-libuv"] for measure, growth in growths.items()
             if growth["counts"] == usual and growth["unit"].endswith("ns")
             and "anyc-libuv" in growth["costs"]}
    curves(folder, "growth-micro", {"title": "n tasks on libuv: cost for one", "unit": "ns",
                                    "counts": usual, "costs": costs})


def draw_all(folder, results):
    if shutil.which("gnuplot") is None:
        print("left out: plots (gnuplot is not installed); the tables are written all the same")
        return
    folder.mkdir(parents=True, exist_ok=True)
    for key, growth in results.get("growth_network", {}).items():
        curves(folder, f"growth-{key}", growth)
    if "echo" in results:
        draw_echo(folder, results["echo"])
    if "http" in results:
        draw_http(folder, results["http"])
    if results.get("growth_micro"):
        draw_growth_micro(folder, results["growth_micro"])
    if "micro" in results:
        draw_micro(folder, results["micro"])
