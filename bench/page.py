# SPDX-License-Identifier: MIT
"""./dev bench report: results/*.json become the tables and plots of docs/performance.md.

The page is written by hand but for its sections, from <!-- bench NAME --> to <!-- end -->: each is
replaced by what SECTIONS has under that name, or stays as it is when there are no results for it.
"""

import json
import re

import plots
import programs
import report
import rounds
import suite_calls
import suite_micro
import suite_search
import suite_tls
import targets

DOCS = programs.BENCH.parent / "docs"
SECTION = re.compile(r"(<!-- bench (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def markdown(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def machine_section(data, _):
    newest = max(data.values(), key=lambda content: content["machine"]["taken"])
    machine = newest["machine"]
    words = [f"{machine['cpus']} CPUs ({machine['cpu']}, {machine['arch']})",
             f"Linux {machine['kernel']}"]
    words += [f"{name} {machine[name]}" for name in report.VERSIONS if machine.get(name)]
    options = newest["options"]
    return (f"{'; '.join(words)}. Taken {machine['taken'][:10]}; the server on CPU "
            f"{options['server_cpu']}, the load on CPU {options['load_cpu']}.\n")


def targets_section(_, results):
    return markdown(*targets.table(results))


def load_rows(case):
    """A row for each server of one case; with and without a timeout side by side."""
    rows = []
    for name, taken in case["results"].items():
        if name.endswith("+timeout"):
            continue
        cpu = rounds.column(taken, "server_cpu_us")
        timed = rounds.column(case["results"].get(f"{name}+timeout", []), "server_cpu_us")
        rows.append([name, report.cell(cpu), report.cell(timed), report.ratio_cell(timed, cpu),
                     report.cell(rounds.column(taken, "rate")),
                     *(report.number(rounds.median(rounds.column(taken, key)))
                       for key in ("p50_us", "p99_us", "p999_us"))])
    return rows


def load_section(suite):
    def section(_, results):
        head = ["server", "CPU, us", "with timeouts", "ratio", "a second", "p50, us", "p99",
                "p99.9"]
        return "\n".join(f"{case['title']}:\n\n{markdown(head, load_rows(case))}"
                         for case in results[suite].values())
    return section


def tls_section(_, results):
    return "\n".join(f"{case['title']}:\n\n{markdown(*suite_tls.table(key, case['results']))}"
                     for key, case in results["tls"].items())


def search_section(_, results):
    return "\n".join(f"{case['title']}:\n\n{markdown(*suite_search.table(case['results']))}"
                     for case in results["search"].values())


def memory_section(_, results):
    (case,) = results["memory"].values()
    rows = [[name, *(report.cell(rounds.column(taken, key)) for key in
                     ("bytes_a_connection", "rss_before_kib", "rss_after_kib"))]
            for name, taken in case["results"].items()]
    return markdown(["server", "bytes a connection", "KiB before", "KiB after"], rows)


def calls_section(suite):
    def section(_, results):
        (case,) = results[suite].values()
        return markdown(["server", "calls a message", "of which"],
                        suite_calls.calls_rows(case["results"]))
    return section


def micro_section(_, results):
    tables = (suite_micro.figures_table, suite_micro.ratio_table)
    return "\n".join(markdown(*table(results["micro"])) for table in tables)


def measures_section(suite):
    """{measure: {program: rounds of {"value", "unit"}}}."""
    def section(_, results):
        return markdown(*suite_micro.figures_table(results[suite]))
    return section


def growth_section(suite):
    def section(_, results):
        tables = []
        for growth in results[suite].values():
            head = [f"{growth['title']}, {growth['unit']}", *growth["counts"], "total"]
            rows = [[name, *report.growth_row(growth["counts"], costs)]
                    for name, costs in growth["costs"].items()]
            tables.append(markdown(head, rows))
        verdict = report.growth_verdict(results[suite])
        return "\n".join([*tables, f"{verdict[0].upper()}{verdict[1:]}.\n"])
    return section


# Name of a section, the results that it needs, what writes it.
SECTIONS = {
    "machine": (None, machine_section),
    "targets": (None, targets_section),
    **{suite: (suite, load_section(suite)) for suite in ("echo", "connect", "unix", "udp", "http",
                                                          "files")},
    "tls": ("tls", tls_section),
    "search": ("search", search_section),
    "memory": ("memory", memory_section),
    **{suite: (suite, calls_section(suite)) for suite in ("syscalls", "strace")},
    "micro": ("micro", micro_section),
    "instructions": ("instructions", measures_section("instructions")),
    **{suite: (suite, growth_section(suite)) for suite in ("growth_network", "growth_micro")},
}


def read_results():
    """{suite: content} of all result files."""
    found = sorted((programs.BENCH / "results").glob("*.json"))
    contents = [json.loads(path.read_text()) for path in found]
    return {content["suite"]: content for content in contents}


def fill(text, data):
    """The page with its sections replaced."""
    results = {suite: content["results"] for suite, content in data.items()}

    def replace(match):
        needs, write = SECTIONS[match[2]]
        if needs is not None and needs not in results:
            print(f"left as it is: the section {match[2]} (no results)")
            return match[0]
        return f"{match[1]}{write(data, results)}{match[3]}"

    return SECTION.sub(replace, text)


def suite_report(options):
    data = read_results()
    if options.partial or not data:
        print("left out: the report (" + ("only a part was measured)" if data else "no results)"))
        return
    page = DOCS / "performance.md"
    page.write_text(fill(page.read_text(), data))
    plots.draw_all(DOCS / "plots", {suite: content["results"] for suite, content in data.items()})
    print(f"  -> {page.relative_to(DOCS.parent)}, docs/plots/")
