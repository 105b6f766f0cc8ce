# SPDX-License-Identifier: MIT
"""A TLS peer for tests, of Python's ssl module: peer.py client|server NAME=VALUE...

The lines that it prints, and what the NAMEs are, are those of peer.go, whose top comment has them.
"""
import select
import socket
import ssl
import sys

DEFAULTS = {
    "port": "0", "ca": "", "cert": "", "key": "", "password": "", "name": "localhost",
    "alpn": "", "min": "1.2", "max": "1.3", "cipher": "", "tickets": "1", "verify": "none",
    "sni": "", "connections": "1", "do": "echo", "bytes": "6", "piece": "16384",
    "close": "notify",
}
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
VERIFY = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}


def say(*words):
    print(*words, flush=True)


def say_failure(error):
    """In the words of alerts, whatever the case and whatever is between them."""
    say("failed", str(error).lower().replace("_", " "))


def make_context(side, options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if side == "server"
                             else ssl.PROTOCOL_TLS_CLIENT)
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    context.minimum_version = VERSIONS[options["min"]]
    context.maximum_version = VERSIONS[options["max"]]
    if side == "server":
        context.verify_mode = VERIFY[options["verify"]]
    if options["ca"]:
        context.load_verify_locations(options["ca"])
    if options["cert"]:
        context.load_cert_chain(options["cert"], options["key"], options["password"] or None)
    if options["alpn"]:
        context.set_alpn_protocols(options["alpn"].split(","))
    if options["cipher"]:
        context.set_ciphers(options["cipher"])
    if options["tickets"] == "0":
        context.options |= ssl.OP_NO_TICKET
    return context


def choose_by_name(context, options):
    """Let a server use the other certificate for the name of `sni`; answers where it notes names."""
    names = []
    wanted, *files = (options["sni"] + "::").split(":")[:3]
    other = make_context("server", {**options, "cert": files[0], "key": files[1], "sni": ""})

    def choose(connection, name, _context):
        names.append(name or "-")
        if wanted and name == wanted:
            connection.context = other

    context.sni_callback = choose
    return names


def common_name(connection):
    certificate = connection.getpeercert()
    if not certificate:
        return "-"
    return dict(part[0] for part in certificate["subject"])["commonName"]


def say_handshake(connection, name):
    unique = connection.get_channel_binding("tls-unique")
    say("handshake", f"version={connection.version()}", f"cipher={connection.cipher()[0]}",
        f"alpn={connection.selected_alpn_protocol() or '-'}", f"sni={name}",
        f"reused={int(connection.session_reused)}", f"peer={common_name(connection)}",
        f"unique={unique.hex() if unique else '-'}")


def pattern(size):
    """That of ../tls_side.h."""
    return bytes(10 if i % 64 == 63 else 48 + (i + i // 61) % 10 for i in range(size))


def send_pieces(connection, data, size):
    for i in range(0, len(data), size):
        connection.sendall(data[i:i + size])


def is_cut(error):
    return isinstance(error, (ssl.SSLEOFError, ssl.SSLSyscallError)) or \
        getattr(error, "reason", "") == "UNEXPECTED_EOF_WHILE_READING"


def receive(connection, wanted):
    """So many bytes or a few more, or up to the end; answers them and how they ended."""
    data = bytearray()
    while len(data) < wanted:
        try:
            part = connection.recv(65536)
        except OSError as error:
            return bytes(data), "cut" if is_cut(error) else f"error {error}"
        if not part:
            return bytes(data), "notify"
        data += part
    return bytes(data), None


def exchange(connection, data, size):
    """Send in pieces and receive as much at the same time."""
    received = bytearray()
    sent = 0
    connection.setblocking(False)
    while len(received) < len(data):
        select.select([connection], [connection] if sent < len(data) else [], [])
        try:
            if sent < len(data):
                sent += connection.send(data[sent:sent + size])
            while len(received) < len(data):
                part = connection.recv(65536)
                if not part:
                    return received
                received += part
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
    connection.setblocking(True)
    return received


def client_echoes(connection, options):
    data = pattern(int(options["bytes"]))
    received = exchange(connection, data, int(options["piece"]))
    say("data", len(received), "right" if received == data else "wrong")


def server_echoes(connection):
    count = 0
    end = None
    while end is None:
        data, end = receive(connection, 1)
        connection.sendall(data)
        count += len(data)
    say("data", count)
    say("end", end)


def talk(side, connection, options):
    if options["do"] == "echo" and side == "client":
        client_echoes(connection, options)
    elif options["do"] == "echo":
        server_echoes(connection)
    elif options["do"] == "read":
        data, end = receive(connection, float("inf"))
        say("data", len(data))
        say("end", end)
    elif options["do"] == "take":
        wanted = pattern(int(options["bytes"]))
        data, _ = receive(connection, len(wanted))
        say("data", len(data), "right" if data == wanted else "wrong")
    elif options["do"] == "send":
        send_pieces(connection, pattern(int(options["bytes"])), int(options["piece"]))


def finish(connection, options):
    """Say the end of TLS and wait for the other side's, or just close."""
    if options["close"] == "notify":
        try:
            connection.unwrap()
            say("closed notify")
        except OSError as error:
            say("closed", "cut" if is_cut(error) else f"error {error}")
    connection.close()


def serve(options):
    context = make_context("server", options)
    names = choose_by_name(context, options)
    listener = socket.create_server(("127.0.0.1", 0))
    say("port", listener.getsockname()[1])
    for _ in range(int(options["connections"])):
        raw, _ = listener.accept()
        try:
            connection = context.wrap_socket(raw, server_side=True, suppress_ragged_eofs=False)
        except OSError as error:
            say_failure(error)
            raw.close()
            continue
        say_handshake(connection, names[-1])
        talk("server", connection, options)
        finish(connection, options)


def connect(options):
    context = make_context("client", options)
    session = None
    for _ in range(int(options["connections"])):
        raw = socket.create_connection(("127.0.0.1", int(options["port"])))
        try:
            connection = context.wrap_socket(raw, server_hostname=options["name"],
                                             session=session, suppress_ragged_eofs=False)
        except OSError as error:
            say_failure(error)
            raw.close()
            continue
        session = connection.session
        say_handshake(connection, options["name"])
        talk("client", connection, options)
        finish(connection, options)


def main():
    side, *words = sys.argv[1:]
    options = {**DEFAULTS, **dict(word.split("=", 1) for word in words)}
    if side == "server":
        serve(options)
    else:
        connect(options)


main()
