#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check which file includes what: usage: includes.py PROJECT

core <- sync <- threads <- streams <- net, os; the adapters see only public headers; each foreign
library's headers stay where they are wrapped; public headers include only anyc's and the system's.
One step against the arrows: core asks the registry for a backend.
"""

import pathlib
import re
import sys

MAY_INCLUDE = {  # folder: whose internal headers
    "core": {"core"},
    "backends": {"core", "backends"},
    "sync": {"core", "sync"},
    "threads": {"core", "sync", "threads"},
    "streams": {"core", "sync", "threads", "streams"},
    "net": {"core", "sync", "threads", "streams", "net"},
    "os": {"core", "sync", "threads", "streams", "os"},
}
FOREIGN = [  # header, the only files that may include it
    (r"uv\.h|uv/.*", r"backends/libuv.*"),
    (r"event\.h|event2/.*", r"backends/libevent.*"),
    (r"mbedtls/.*|psa/.*", r"streams/tls.*"),
    (r"check\.h", r"tests/.*"),
]
PUBLIC = re.compile(
    r"anyc/\w+\.h|(errno|math|netdb|signal|stdarg|stdbool|stddef|stdint|stdio|string|time)\.h"
    r"|sys/(socket|stat|types|uio|un)\.h|netinet/in\.h")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.M)


def problems(name, header):
    folder = name.split("/")[0]
    if folder in MAY_INCLUDE:
        target = header.split("/")[0]
        if (target in MAY_INCLUDE and target not in MAY_INCLUDE[folder]
                and (folder, header) != ("core", "backends/registry.h")):
            yield f"{folder} may not include {target}"
        if re.match(r"backends/lib", name) and target == "core":
            yield "an adapter includes only anyc/*.h"
        for pattern, where in FOREIGN:
            if re.fullmatch(pattern, header) and not re.fullmatch(where, name):
                yield f"only {where} may include it"
    if name.startswith("include/") and not PUBLIC.fullmatch(header):
        yield "not for a public header"


def main():
    root = pathlib.Path(sys.argv[1])
    bad = 0
    for folder in [*MAY_INCLUDE, "include"]:
        for path in sorted((root / folder).rglob("*.[chS]")):
            name = path.relative_to(root).as_posix()
            for header in INCLUDE.findall(path.read_text()):
                for problem in problems(name, header):
                    print(f"{name}: includes {header}: {problem}")
                    bad += 1
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
