"""Checks of section 5: paths, methods, media types, tokens, names, and which check answers first."""

from urllib.parse import quote

from cbor import encode
from connection import CBOR
from runner import Failure, check, expect, expect_equal
from server import expect_error

BAD_NAMES = ["", "../x", "..", ".", ".hidden", "a/b", "a\\b", "%2e%2e", "a%2fb", "x" * 129, "x" * 200]
BAD_NAMES += ["a b", "a\x00b", "a\n", "ä", "\uff0e\uff0e", "a:b", "*", "a;b", "C:\\x", "~"]


def request(bench, method, path, body=None, *headers):
    return bench.server.connection.request(method, path, body, headers)


def good_pull(bench):
    return encode({"dbId": bench.database("http"), "sinceCursor": 0})


@check("http: one connection -> kept alive over answers and errors")
def _(bench):
    bench.server.connection.close()
    opened = bench.server.connection.opened
    for _ in range(5):
        bench.alive()
        bench.server.refused("pull", {"dbId": "."}, 400, "invalid_request")
    expect_equal(bench.server.connection.opened, opened + 1, "connections opened")


@check("http: wrong path -> not_found, with or without a token, by any method")
def _(bench):
    headers = bench.server.headers()
    for path in ("/", "/v1", "/v1/", "/v1/nothing", "/v2/pull", "/v1/pull/", "/v1/pull/x", "/V1/PULL"):
        for more in (headers, []):
            for method, body in (("POST", good_pull(bench)), ("GET", None)):
                answer = request(bench, method, path, body, *more)
                try:
                    expect_error(answer, 404, "not_found")
                except Failure as error:
                    raise Failure(f"{method} {path}: {error}") from None
    for path in ("/v1/../v1/pull", "/v1/%70ull", "//v1/pull", "/v1//pull"):
        status = request(bench, "POST", path, good_pull(bench), *headers).status
        expect(status in (200, 404), f"{path} answered {status}")


@check("http: wrong method -> method_not_allowed with Allow")
def _(bench):
    for path in ("handshake", "pull", "push", "verify"):
        for method in ("GET", "PUT", "DELETE", "PATCH"):
            body = None if method == "GET" else good_pull(bench)
            answer = request(bench, method, f"/v1/{path}", body, *bench.server.headers())
            expect_error(answer, 405, "method_not_allowed")
            expect_equal(answer.headers.get("Allow"), "POST", "Allow")
    path = f"/v1/stream?dbId={bench.database('http')}"
    answer = request(bench, "POST", path, b"", *bench.server.headers())
    expect_error(answer, 405, "method_not_allowed")
    expect("GET" in (answer.headers.get("Allow") or ""), "Allow of the stream")


@check("http: wrong Content-Type -> unsupported_media_type; parameters are ignored")
def _(bench):
    body, token = good_pull(bench), bench.server.authorization
    for wrong in ("application/json", "text/plain", "application/cbor-seq", "cbor", "", None):
        headers = [token] if wrong is None else [token, ("Content-Type", wrong)]
        answer = request(bench, "POST", "/v1/pull", body, *headers)
        expect_error(answer, 415, "unsupported_media_type")
    for right in (CBOR, "application/cbor; charset=utf-8", "Application/CBOR", "application/cbor;v=1"):
        answer = request(bench, "POST", "/v1/pull", body, token, ("Content-Type", right))
        expect_equal(answer.status, 200, f"status with Content-Type {right}")


@check("http: Accept without CBOR -> not_acceptable, its error in CBOR all the same")
def _(bench):
    body = good_pull(bench)
    excluding = ("text/html", "application/json", "text/*", "application/cbor;q=0")
    for wrong in (*excluding, "application/cbor;q=0, */*"):
        bench.server.refused("pull", body, 406, "not_acceptable", ("Accept", wrong))
    right = ("*/*", "application/*", CBOR, "text/html, application/cbor;q=0.1", "Application/CBOR")
    for accept in (*right, "text/html;q=0.9, */*;q=0.1"):
        bench.server.call("pull", body, ("Accept", accept))


@check("http: no token, a wrong one, two -> unauthenticated")
def _(bench):
    body, media = good_pull(bench), ("Content-Type", CBOR)
    right = f"Bearer {bench.server.token}"
    wrong = [
        [],
        [""],
        ["Bearer"],
        ["Bearer "],
        ["Bearer wrong"],
        [right + "x"],
        [right[:-1]],
        [bench.server.token],
        ["Basic " + bench.server.token],
        [right + ", " + right],
        [right, "Bearer wrong"],
        ["Bearer wrong", right],
        ["Bearer " + "x" * 4000],
        ["Bearer \xff"],
    ]
    for values in wrong:
        headers = [("Authorization", value) for value in values]
        answer = request(bench, "POST", "/v1/pull", body, media, *headers)
        try:
            error = expect_error(answer, 401, "unauthenticated")
        except Failure as failure:
            raise Failure(f"{[v[:40] for v in values]}: {failure}") from None
        expect(bench.server.token not in error["message"], "a message repeats the token")
        scheme = (answer.headers.get("WWW-Authenticate") or "").split(" ")[0]
        expect_equal(scheme, "Bearer", "WWW-Authenticate")
    in_url = f"/v1/pull?access_token={bench.server.token}&token={bench.server.token}"
    expect_error(request(bench, "POST", in_url, body, media), 401, "unauthenticated")
    small = ("Authorization", f"bearer {bench.server.token}")
    expect_equal(request(bench, "POST", "/v1/pull", body, media, small).status, 200, "small letters")


@check("names: dbId and deviceId that are no names -> invalid_request, in every endpoint")
def _(bench):
    db = bench.database("http")
    for name in BAD_NAMES:
        messages = {
            "handshake": [{"dbId": name, "deviceId": "d"}, {"dbId": db, "deviceId": name}],
            "pull": [{"dbId": name, "sinceCursor": 0}, {"dbId": db, "sinceCursor": 0, "deviceId": name}],
            "push": [{"dbId": name, "deviceId": "d", "ops": []}, {"dbId": db, "deviceId": name, "ops": []}],
            "verify": [{"dbId": name, "cursor": 0, "digest": bytes(32)}],
        }
        for endpoint, bad in messages.items():
            for message in bad:
                bench.server.refused(endpoint, message, 400, "invalid_request")
        path = f"/v1/stream?dbId={quote(name, safe='')}"
        answer = request(bench, "GET", path, None, bench.server.authorization)
        expect_error(answer, 400, "invalid_request")
        bench.alive()
    for query in ("", "?", "?dbId", "?dbid=x", "?dbId=%", "?dbId=%2e%2e", "?dbId=..%2Fx", "?dbId=../x"):
        answer = request(bench, "GET", f"/v1/stream{query}", None, bench.server.authorization)
        expect_error(answer, 400, "invalid_request")


@check("order: of several faults -> the first check of section 5.1 answers")
def _(bench):
    db, token = bench.database("order"), bench.server.authorization
    limit = bench.device("order").handshake()["limits"]["maxBodyBytes"]
    cbor, json = ("Content-Type", CBOR), ("Content-Type", "application/json")
    html, br = ("Accept", "text/html"), ("Content-Encoding", "br")
    large, bad = bytes(limit + 1), b"\xff"
    cases = [
        ("DELETE", "/v1/nothing", large, [json, html], 404, "not_found"),
        ("DELETE", "/v1/pull", large, [json, html], 401, "unauthenticated"),
        ("DELETE", "/v1/pull", large, [token, json, html], 405, "method_not_allowed"),
        ("POST", "/v1/pull", large, [token, json], 415, "unsupported_media_type"),
        ("POST", "/v1/pull", large, [token, cbor, br], 415, "unsupported_media_type"),
        ("POST", "/v1/pull", large, [token, cbor, html], 406, "not_acceptable"),
        ("POST", "/v1/pull", large, [token, cbor], 413, "too_large"),
        ("POST", "/v1/pull", bad, [token, cbor], 400, "invalid_request"),
    ]
    for method, path, body, headers, status, code in cases:
        answer = request(bench, method, path, body, *headers)
        try:
            expect_error(answer, status, code)
        except Failure as error:
            raise Failure(f"{method} {path} {headers}: {error}") from None
    device = bench.device("order")
    device.handshake(replicaId=bytes(16))
    device.handshake(replicaId=bytes([1]) * 16)
    device.push(device.put({"id": "n1"}))
    epoch, ahead = bytes(16), 2**53 - 1
    superseded = {"dbId": db, "deviceId": device.name, "replicaId": bytes(16)}
    pull = {**superseded, "sinceCursor": ahead, "epoch": epoch}
    major = {**superseded, "protocol": [2, 0]}
    ops = [{**device.put({"id": "n1", "v": 2}), "opId": 1}]
    push = {**superseded, "ops": ops, "epoch": epoch, "sinceCursor": ahead}
    known = {key: value for key, value in push.items() if key != "replicaId"}
    good = {key: value for key, value in known.items() if key != "epoch"}
    for endpoint, message, status, code in (
        ("handshake", {**major, "dbId": "..", "deviceId": "server"}, 400, "invalid_request"),
        ("handshake", major, 400, "unsupported_protocol"),
        ("pull", pull, 409, "device_conflict"),
        ("push", push, 409, "device_conflict"),
        ("push", known, 409, "epoch_mismatch"),
        ("push", good, 422, "cursor_ahead"),
        ("push", {**good, "sinceCursor": 0}, 409, "op_id_reused"),
    ):
        bench.server.refused(endpoint, message, status, code)


@check("access: a token that may only read -> pulls; its push is forbidden", needs=["reader_token"])
def _(bench):
    device = bench.device("read-only")
    device.push(device.put({"id": "n1"}))
    reader = bench.server.with_token(bench.options["reader_token"])
    page = reader.call("pull", {"dbId": device.db, "sinceCursor": 0})
    expect_equal(len(page["ops"]), 1, "operations pulled")
    op = {**device.put({"id": "n2"}), "deviceId": "reader", "opId": 1}
    push = {"dbId": device.db, "deviceId": "reader", "ops": [op]}
    reader.refused("push", push, 403, "forbidden")
    expect_equal(len(device.pull_all()[0]), 1, "operations in the log")


@check("access: a token of another database -> forbidden, there or not", needs=["named_token"])
def _(bench):
    device = bench.device("foreign")
    device.push(device.put({"id": "n1"}))
    named = bench.server.with_token(bench.options["named_token"])
    for db in (device.db, bench.database("never-made")):
        named.refused("pull", {"dbId": db, "sinceCursor": 0}, 403, "forbidden")
        named.refused("handshake", {"dbId": db, "deviceId": "d"}, 403, "forbidden")
        named.refused("push", {"dbId": db, "deviceId": "d", "ops": []}, 403, "forbidden")
        path = f"/v1/stream?dbId={db}"
        answer = request(bench, "GET", path, None, named.authorization)
        expect_error(answer, 403, "forbidden")


@check(
    "access: unknown database, none are made -> forbidden; unknown_database to a token that names it",
    needs=["closed_url", "named_token"],
)
def _(bench):
    closed = bench.closed_server()
    named = closed.with_token(bench.options["named_token"])
    db = bench.options["named_db"]
    for server, status, code in ((closed, 403, "forbidden"), (named, 404, "unknown_database")):
        server.refused("handshake", {"dbId": db, "deviceId": "d"}, status, code)
        server.refused("pull", {"dbId": db, "sinceCursor": 0}, status, code)
        server.refused("push", {"dbId": db, "deviceId": "d", "ops": []}, status, code)
        answer = server.connection.request("GET", f"/v1/stream?dbId={db}", None, [server.authorization])
        expect_error(answer, status, code)
