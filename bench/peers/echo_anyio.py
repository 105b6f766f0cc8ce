#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Echo server on AnyIO: what anyc is in Python.

    echo_anyio.py --backend asyncio|uvloop|trio [--port P | --unix PATH] [--timeout SECONDS]
"""

import argparse
import resource
import sys

import anyio
from anyio.abc import SocketAttribute

LARGE = 65536  # receive's own default


async def echo(stream):
    async with stream:
        try:
            while True:
                await stream.send(await stream.receive(LARGE))
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            pass


def timed_echo(seconds):
    async def handler(stream):
        async with stream:
            try:
                while True:
                    with anyio.fail_after(seconds):
                        data = await stream.receive(LARGE)
                    await stream.send(data)
            except (anyio.EndOfStream, anyio.BrokenResourceError, TimeoutError):
                pass
    return handler


async def serve(options):
    if options.unix:
        listener = await anyio.create_unix_listener(options.unix)
        print(f"listening on {options.unix}", flush=True)
    else:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=options.port)
        print(f"listening on 127.0.0.1:{listener.extra(SocketAttribute.local_port)}", flush=True)
    await listener.serve(timed_echo(options.timeout) if options.timeout else echo)


def main(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("--backend", choices=["asyncio", "uvloop", "trio"], required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--unix")
    parser.add_argument("--timeout", type=float, help="seconds, around each receive")
    options = parser.parse_args(argv)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if options.backend == "trio":
        anyio.run(serve, options, backend="trio")
    else:
        anyio.run(serve, options, backend="asyncio",
                  backend_options={"use_uvloop": options.backend == "uvloop"})


if __name__ == "__main__":
    main(sys.argv[1:])
