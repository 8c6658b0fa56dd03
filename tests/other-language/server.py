"""The server as a client meets it: messages out, messages in, every answer held to the rules."""

from cbor import Malformed, encode
from connection import CBOR
from messages import read_message
from runner import Failure, expect, expect_equal

ENDPOINTS = {
    "handshake": ("HandshakeRequest", "HandshakeResponse"),
    "pull": ("PullRequest", "PullResponse"),
    "push": ("PushRequest", "PushResponse"),
    "verify": ("VerifyRequest", "VerifyResponse"),
}


class Server:
    def __init__(self, connection, token):
        self.connection = connection
        self.token = token

    def with_token(self, token):
        return Server(self.connection, token)

    @property
    def authorization(self):
        return ("Authorization", f"Bearer {self.token}")

    def headers(self, *more):
        return [self.authorization, ("Content-Type", CBOR), *more]

    def post(self, endpoint, message, *more):
        """`message`: a dictionary, or the body itself. `more`: further headers."""
        body = message if isinstance(message, bytes) else encode(message)
        return self.connection.request("POST", f"/v1/{endpoint}", body, self.headers(*more))

    def call(self, endpoint, message, *more):
        """The answer as a message; a failure unless it is 200."""
        answer = self.post(endpoint, message, *more)
        if answer.status != 200:
            raise Failure(f"{endpoint} answered {described(answer)}")
        return read_answer(ENDPOINTS[endpoint][1], answer)

    def refused(self, endpoint, message, status, code, *more):
        """The error as a message; a failure unless it has this status and code."""
        return expect_error(self.post(endpoint, message, *more), status, code)


def expect_error(answer, status, code):
    if answer.status == 200:
        raise Failure(f"expected {status} {code}, got 200")
    error = read_answer("ErrorResponse", answer)
    expect_equal((answer.status, error["code"]), (status, code), f"error '{error['message']}'")
    expect(error["message"] != "", "an error has a message")
    return error


def read_answer(name, answer):
    """Holds an answer to what section 4 says of sent bodies: media type, rules, sorted and shortest."""
    media_type = (answer.headers.get("Content-Type") or "").split(";")[0].strip().lower()
    expect_equal(media_type, CBOR, f"media type of a {name} with status {answer.status}")
    try:
        message = read_message(name, answer.body)
    except Malformed as error:
        raise Failure(f"{name} {answer.body[:200].hex()}: {error}") from None
    expect_equal(encode(message).hex(), answer.body.hex(), f"{name} in deterministic encoding")
    return message


def described(answer):
    try:
        return f"{answer.status} {read_message('ErrorResponse', answer.body)}"
    except Malformed:
        return f"{answer.status} {answer.body[:200]!r}"
