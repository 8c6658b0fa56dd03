"""Checks of sections 4 and 5.2: bodies that are no messages, too large, or wrongly compressed."""

import gzip

from cbor import Pairs, Raw, encode, head
from connection import chunk, gzipped_zeros
from runner import check, expect, expect_equal
from server import expect_error

MEBIBYTE = 1 << 20


def pull_of(bench, *more):
    """The pairs of a good PullRequest, `more` behind them."""
    return [("dbId", bench.database("bodies")), ("sinceCursor", 0), *more]


def with_extra(bench, item):
    """A good request with an unknown key of that value."""
    return encode(Pairs(pull_of(bench, ("unknown", Raw(item)))))


def refuse_each(bench, bodies):
    for name, body in bodies.items():
        try:
            bench.server.refused("pull", body, 400, "invalid_request")
        except Exception as error:
            raise type(error)(f"{name}: {error}") from None
        bench.alive()


@check("body: unknown keys of any well-formed value -> ignored")
def _(bench):
    bench.server.call("pull", encode(Pairs(pull_of(bench))))
    items = {
        "float": b"\xf9\x3c\x00",
        "tag": b"\xc1\x19\x03\xe8",
        "undefined": b"\xf7",
        "simple value": b"\xf8\xff",
        "integer not shortest": b"\x1b\x00\x00\x00\x00\x00\x00\x00\x01",
        "length not shortest": b"\x59\x00\x01a",
        "keys not text": b"\xa2\x01\x02\x80\x03",
        "duplicate keys inside": b"\xa2\x61a\x01\x61a\x02",
        "text not UTF-8": b"\x61\xff",
        "64 arrays": b"\x81" * 63 + b"\x80",
        "64 maps": b"\xa1\x00" * 63 + b"\xa0",
        "64 tags": b"\xc1" * 64 + b"\x00",
        "null": b"\xf6",
    }
    for name, item in items.items():
        try:
            bench.server.call("pull", with_extra(bench, item))
        except Exception as error:
            raise type(error)(f"{name}: {error}") from None


@check("body: malformed CBOR -> invalid_request")
def _(bench):
    good = encode(Pairs(pull_of(bench)))
    db = bench.database("bodies")
    refuse_each(
        bench,
        {
            "no bytes": b"",
            "truncated": good[:-1],
            "one byte": b"\xa2",
            "trailing byte": good + b"\x00",
            "twice": good + good,
            "an array": encode([]),
            "null": encode(None),
            "text": encode("pull"),
            "JSON": b'{"dbId": "x", "sinceCursor": 0}',
            "zeros": bytes(1000),
            "0xff": b"\xff" * 1000,
            "break only": b"\xff",
            "reserved initial byte": b"\xbc",
            "tagged": b"\xd9\xd9\xf7" + good,
            "indefinite map": b"\xbf" + good[1:] + b"\xff",
            "indefinite text": encode(
                Pairs([("dbId", Raw(b"\x7f" + encode(db) + b"\xff")), ("sinceCursor", 0)])
            ),
            "duplicate key": encode(Pairs(pull_of(bench, ("sinceCursor", 0)))),
            "duplicate key, apart": encode(Pairs([("sinceCursor", 0), *pull_of(bench)])),
            "duplicate unknown key": encode(Pairs(pull_of(bench, ("x", 1), ("x", 1)))),
            "key not text": encode(Pairs(pull_of(bench, (1, 1)))),
            "key of bytes": encode(Pairs(pull_of(bench, (b"x", 1)))),
            "float for an integer": encode({"dbId": db, "sinceCursor": Raw(b"\xf9\x00\x00")}),
            "integer not shortest": encode({"dbId": db, "sinceCursor": Raw(b"\x18\x00")}),
            "tagged integer": encode({"dbId": db, "sinceCursor": Raw(b"\xc2\x41\x00")}),
            "integer of 2^53": encode({"dbId": db, "sinceCursor": Raw(head(0, 2**53))}),
            "integer of 2^64 - 1": encode({"dbId": db, "sinceCursor": Raw(head(0, 2**64 - 1))}),
            "null for an integer": encode({"dbId": db, "sinceCursor": None}),
            "bytes for text": encode({"dbId": db.encode(), "sinceCursor": 0}),
            "text not UTF-8": encode({"dbId": Raw(b"\x62\xc3\x28"), "sinceCursor": 0}),
            "missing field": encode({"dbId": db}),
            "empty map": encode({}),
            "field of another spelling": encode({"dbid": db, "sinceCursor": 0}),
        },
    )


@check("body: hostile lengths and depths -> invalid_request, at once")
def _(bench):
    db = bench.database("bodies")
    refuse_each(
        bench,
        {
            "65 arrays": with_extra(bench, b"\x81" * 64 + b"\x80"),
            "10,000 arrays": with_extra(bench, b"\x81" * 10_000 + b"\x80"),
            "1,000,000 arrays": with_extra(bench, b"\x81" * 1_000_000 + b"\x80"),
            "1,000,000 maps": with_extra(bench, b"\xa1\x00" * 1_000_000 + b"\x00"),
            "1,000,000 tags": with_extra(bench, b"\xc1" * 1_000_000 + b"\x00"),
            "1,000,000 open arrays": with_extra(bench, b"\x9f" * 1_000_000),
            "10,000 arrays as message": b"\x81" * 10_000 + b"\x80",
            "1,000,000 arrays as message": b"\x81" * 1_000_000 + b"\x80",
            "1,000,000 arrays as dbId": encode(
                {"dbId": Raw(b"\x81" * 1_000_000 + b"\x80"), "sinceCursor": 0}
            ),
            "text of 2^40": encode({"dbId": Raw(head(3, 2**40)), "sinceCursor": 0}),
            "bytes of 2^40": with_extra(bench, head(2, 2**40)),
            "array of 2^40": with_extra(bench, head(4, 2**40)),
            "map of 2^40": with_extra(bench, head(5, 2**40)),
            "map of 2^63": with_extra(bench, head(5, 2**63)),
            "array of 2^64 - 1": with_extra(bench, head(4, 2**64 - 1)),
            "message of 2^40 pairs": head(5, 2**40),
            "message of 2^31 pairs": head(5, 2**31) + encode("dbId"),
            "collections of 2^40": encode(
                Pairs([*pull_of(bench), ("collections", Raw(head(4, 2**40)))])
            ),
            "indefinite inside an unknown value": with_extra(bench, b"\x81\x9f\xff"),
            "not well-formed inside": with_extra(bench, b"\xf8\x10"),
            "million unknown keys twice": encode(
                Pairs([*pull_of(bench), *((f"k{i % 100_000}", 0) for i in range(100_001))])
            ),
            "operations of 2^40": encode({"dbId": db, "deviceId": "d", "ops": Raw(head(4, 2**40))}),
        },
    )


@check("body: larger than maxBodyBytes -> too_large, by Content-Length and by count")
def _(bench):
    limit = bench.device("bodies").handshake()["limits"]["maxBodyBytes"]
    body = bytes(limit + 1)
    error = bench.server.refused("push", body, 413, "too_large")
    expect_equal(error["details"]["limit"], limit, "details.limit")
    bench.alive()
    headers = bench.server.headers()
    raw = bench.server.connection.raw
    early = raw("POST", "/v1/push", [*headers, ("Content-Length", str(2**40))], [])
    expect_error(early, 413, "too_large")
    bench.alive()
    large = ("Content-Length", str(64 * MEBIBYTE))
    sent = raw("POST", "/v1/push", [*headers, large], [bytes(MEBIBYTE)] * 64)
    expect_error(sent, 413, "too_large")
    bench.alive()
    endless = (chunk(bytes(MEBIBYTE)) for _ in range(10_000))
    chunked = raw("POST", "/v1/push", [*headers, ("Transfer-Encoding", "chunked")], endless)
    expect_error(chunked, 413, "too_large")


@check("body: of exactly maxBodyBytes, in chunks of any size -> read")
def _(bench):
    device = bench.device("largest-body")
    limits = device.handshake()["limits"]
    message = device.request([])
    base = len(encode({**message, "zz": bytes(2**16)})) - 2**16
    body = encode({**message, "zz": bytes(limits["maxBodyBytes"] - base)})
    expect_equal(len(body), limits["maxBodyBytes"], "bytes of the body")
    bench.server.call("push", body)
    good = encode(device.request([device.put({"id": "n1"})]))
    pieces = [chunk(good[i : i + 1]) for i in range(len(good))] + [chunk(b"")]
    headers = bench.server.headers(("Transfer-Encoding", "chunked"))
    expect_equal(bench.server.connection.raw("POST", "/v1/push", headers, pieces).status, 200, "status")
    expect_equal(len(device.pull_all()[0]), 1, "operations in the log")


@check("gzip: request -> inflated; answer only when asked for")
def _(bench):
    device = bench.device("gzip")
    ops = [device.put({"id": f"n{i}", "text": "milk" * 50}) for i in range(50)]
    packed = gzip.compress(encode(device.request(ops)))
    answer = bench.server.call("push", packed, ("Content-Encoding", "gzip"))
    expect_equal(len(answer["committed"]), 50, "operations committed")
    message = {"dbId": device.db, "sinceCursor": 0}
    plain = bench.server.post("pull", message)
    asked = bench.server.post("pull", message, ("Accept-Encoding", "gzip"))
    expect(plain.headers.get("Content-Encoding") is None, "an answer that was not asked for as gzip")
    expect_equal(asked.body, plain.body, "body as gzip, inflated")
    for others in ("br, zstd, deflate", "identity", "gzip;q=0", "*;q=0"):
        other = bench.server.post("pull", message, ("Accept-Encoding", others))
        expect(other.headers.get("Content-Encoding") is None, f"gzip though asked for {others}")


@check("gzip: not gzip, or cut -> invalid_request")
def _(bench):
    packed = gzip.compress(encode(Pairs(pull_of(bench))))
    for body in (b"", b"not gzip", packed[:-9], packed[:12]):
        bench.server.refused("pull", body, 400, "invalid_request", ("Content-Encoding", "gzip"))
        bench.alive()


@check("gzip: a bomb -> too_large, whether 9 MiB or 1 GiB come out of it")
def _(bench):
    for size in (9 * MEBIBYTE, 1024 * MEBIBYTE):
        bomb = gzipped_zeros(size)
        bench.server.refused("push", bomb, 413, "too_large", ("Content-Encoding", "gzip"))
        bench.alive()


@check("encoding: anything but gzip -> unsupported_media_type")
def _(bench):
    body = encode(Pairs(pull_of(bench)))
    for encoding in ("br", "deflate", "zstd", "compress", "gzip, gzip", "br, gzip", "nonsense"):
        header = ("Content-Encoding", encoding)
        bench.server.refused("pull", body, 415, "unsupported_media_type", header)
        bench.alive()
    for encoding in ("identity", "Identity"):
        bench.server.call("pull", body, ("Content-Encoding", encoding))
    bench.server.call("pull", gzip.compress(body), ("Content-Encoding", "GZIP"))
