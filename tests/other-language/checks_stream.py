"""Checks of section 13: the stream of cursors."""

import http.client
import select

from runner import check, expect, expect_equal
from server import expect_error


class Events:
    """Server-Sent Events of one database, read line by line."""

    def __init__(self, server, db):
        connection = server.connection
        self.http = http.client.HTTPSConnection(
            connection.host, connection.port, context=connection.context, timeout=30
        )
        headers = dict([server.authorization, ("Accept", "text/event-stream")])
        self.http.request("GET", f"/v1/stream?dbId={db}", headers=headers)
        self.socket = self.http.sock
        self.response = self.http.getresponse()
        expect_equal(self.response.status, 200, "status of the stream")
        media_type = self.response.headers.get("Content-Type", "").split(";")[0]
        expect_equal(media_type, "text/event-stream", "media type of the stream")
        self.retry = None

    def next_cursor(self):
        """The cursor of the next event; comments and `retry` are passed over."""
        fields = {}
        while True:
            line = self.response.readline().decode("utf-8").rstrip("\r\n")
            if line == "" and "data" in fields:
                expect_equal(fields["event"], "cursor", "event")
                expect_equal(fields["id"], fields["data"], "id and data")
                return int(fields["data"])
            if line.startswith(":") or line == "":
                continue
            name, _, value = line.partition(":")
            if name == "retry":
                self.retry = int(value)
            else:
                fields[name] = value.strip()

    def cursor_of(self, wanted):
        """Reads on until the stream names `wanted`; several commits may share an event."""
        cursor = self.next_cursor()
        while cursor < wanted:
            cursor = self.next_cursor()
        expect_equal(cursor, wanted, "cursor of the event")

    def close(self):
        self.response.close()
        self.http.close()


@check("stream: on connect and after a push -> the head; a no-op and an empty push move nothing")
def _(bench):
    device = bench.device("stream")
    first = device.push(device.put({"id": "n1"}))
    events = Events(bench.server, device.db)
    try:
        expect_equal(events.next_cursor(), first["head"], "the first event")
        expect_equal(events.retry, 1000, "retry")
        for i in range(3):
            answer = device.push(device.put({"id": f"m{i}"}), device.put({"id": f"o{i}"}))
            events.cursor_of(answer["head"])
        device.push()
        last = device.push(device.put({"id": "n1", "v": 2}, answer["headBefore"] + 9))
        expect_equal(len(last["conflicts"]), 1, "conflicts")
        quiet = not select.select([events.socket], [], [], 0.3)[0]
        expect(quiet, "an event though the head did not move")
    finally:
        events.close()


@check("stream: two of them -> both are woken; one that leaves disturbs nobody")
def _(bench):
    device = bench.device("streams")
    head = device.push(device.put({"id": "n1"}))["head"]
    one, two = Events(bench.server, device.db), Events(bench.server, device.db)
    try:
        one.cursor_of(head)
        two.cursor_of(head)
        one.close()
        answer = device.push(device.put({"id": "n2"}))
        two.cursor_of(answer["head"])
    finally:
        two.close()


@check("stream: without a byte for 15 s -> a comment")
def _(bench):
    device = bench.device("heartbeat")
    head = device.handshake()["serverCursor"]
    events = Events(bench.server, device.db)
    try:
        expect_equal(events.next_cursor(), head, "head of a new database")
        line = events.response.readline()
        expect(line.startswith(b":"), f"heartbeat is a comment, not {line!r}")
    finally:
        events.close()


@check("stream: no token, wrong Accept -> errors in CBOR")
def _(bench):
    path = f"/v1/stream?dbId={bench.database('stream')}"
    ask = bench.server.connection.request
    expect_error(ask("GET", path), 401, "unauthenticated")
    token = bench.server.authorization
    for accept in ("application/cbor", "text/html", "text/event-stream;q=0"):
        expect_error(ask("GET", path, None, [token, ("Accept", accept)]), 406, "not_acceptable")
    in_url = f"{path}&access_token={bench.server.token}"
    expect_error(ask("GET", in_url), 401, "unauthenticated")
