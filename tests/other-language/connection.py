"""HTTP/1.1 over TLS (docs/protocol.md, section 5): whole requests, and raw ones for hostile bodies."""

import gzip
import http.client
import io
import itertools
import select
import socket
import ssl
import zlib
from dataclasses import dataclass
from urllib.parse import urlsplit

CBOR = "application/cbor"
TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Connection:
    """A kept-alive connection that is opened again when the server has closed it."""

    def __init__(self, url, ca):
        parts = urlsplit(url)
        self.host, self.port = parts.hostname, parts.port or 443
        self.context = ssl.create_default_context(cafile=ca)
        self.context.set_alpn_protocols(["http/1.1"])
        self.opened = 0
        self._http = None

    def request(self, method, path, body=None, headers=()):
        """`headers` are pairs, sent as they are: twice if they are there twice."""
        for last_try in (False, True):
            fresh = self._http is None
            if fresh:
                self._open()
            try:
                return self._exchange(method, path, body, headers)
            except (http.client.RemoteDisconnected, ConnectionError, ssl.SSLEOFError):
                # An idle connection may end between two requests; a fresh one may not.
                self.close()
                if fresh or last_try:
                    raise

    def _open(self):
        self._http = http.client.HTTPSConnection(
            self.host, self.port, context=self.context, timeout=TIMEOUT_SECONDS
        )
        self._http.connect()
        self.opened += 1

    def _exchange(self, method, path, body, headers):
        connection = self._http
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        try:
            connection.endheaders(body)
        except (ConnectionError, ssl.SSLError):
            # The server may have answered without reading everything: the answer decides.
            pass
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, inflated(response))
        if response.will_close:
            self.close()
        return answer

    def close(self):
        if self._http is not None:
            self._http.close()
            self._http = None

    def socket(self):
        """A TLS connection of its own, for raw bytes."""
        plain = socket.create_connection((self.host, self.port), timeout=TIMEOUT_SECONDS)
        return self.context.wrap_socket(plain, server_hostname=self.host)

    def raw(self, method, path, headers, pieces):
        """Sends a request piece by piece and stops when an answer comes, however early."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}:{self.port}"]
        lines += [f"{name}: {value}" for name, value in headers]
        with self.socket() as tls:
            head = "\r\n".join([*lines, "", ""]).encode("latin-1")
            early = _send_until_answered(tls, itertools.chain([head], pieces))
            response = http.client.HTTPResponse(_Received(tls, early), method=method)
            response.begin()
            return Answer(response.status, response.headers, inflated(response))


def inflated(response):
    body = response.read()
    return gzip.decompress(body) if response.headers.get("Content-Encoding") == "gzip" else body


class _Received(io.RawIOBase):
    """What came early, then what comes from the socket."""

    def __init__(self, tls, early):
        self.tls = tls
        self.early = early

    def readable(self):
        return True

    def readinto(self, buffer):
        data = self.early[: len(buffer)] or self.tls.recv(len(buffer))
        self.early = self.early[len(data) :]
        buffer[: len(data)] = data
        return len(data)

    def makefile(self, _mode):
        return io.BufferedReader(self)


def _send_until_answered(tls, pieces):
    """Sends, and stops at the first bytes of an answer: returns those. A server need not read on."""
    tls.setblocking(False)
    try:
        for piece in pieces:
            view = memoryview(piece)
            while view:
                view = view[_send(tls, view) :]
                early = _receive(tls)
                if early:
                    return early
    except (ConnectionError, ssl.SSLEOFError):
        # Closed while sending; the answer may have come before.
        pass
    finally:
        tls.settimeout(TIMEOUT_SECONDS)
    return b""


def _send(tls, view):
    try:
        return tls.send(view)
    except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
        if not any(select.select([tls], [tls], [], TIMEOUT_SECONDS)):
            raise TimeoutError("the server neither reads nor answers") from None
        return 0


def _receive(tls):
    try:
        return tls.recv(65536)
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return b""


def chunk(data):
    """One chunk of `Transfer-Encoding: chunked`; of nothing, the end of the body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def gzipped_zeros(size):
    """What inflates to `size` zero bytes, made without holding them."""
    squeeze = zlib.compressobj(1, zlib.DEFLATED, 31)
    block = bytes(1 << 20)
    parts = [squeeze.compress(block) for _ in range(size >> 20)]
    return b"".join([*parts, squeeze.flush()])
