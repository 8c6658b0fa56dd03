"""A client of SyncProtocol v1 written from docs/protocol.md alone. It asks a server everything the page
promises and prints one line for each check, `ok NAME` or `FAILED NAME: why`:

    python3 client.py --url https://127.0.0.1:8443 --ca cert.pem --token T --db NAME

Databases are made on the server, all named NAME-something. Exit code 0 only when every check holds.
Python 3.9 or later, standard library only.
"""

import argparse
import sys

sys.dont_write_bytecode = True

# Importing these registers their checks.
import checks_push  # noqa: F401
import checks_groups  # noqa: F401
import checks_pull  # noqa: F401
import checks_snapshot  # noqa: F401
import checks_stream  # noqa: F401
import checks_bodies  # noqa: F401
import checks_http  # noqa: F401
import checks_together  # noqa: F401
import restart
from connection import Connection
from device import Device
from runner import CHECKS, run
from server import Server


class Bench:
    """What a check works with: the server, and databases of its own."""

    def __init__(self, options):
        self.options = options
        self.server = Server(Connection(options["url"], options["ca"]), options["token"])

    def database(self, name):
        return f"{self.options['db']}-{name}"

    def device(self, database, name="device-1"):
        return Device(self.server, self.database(database), name)

    def device_in(self, db, name):
        return Device(self.server, db, name)

    def device_apart(self, database, name):
        """A device with a connection of its own."""
        connection = Connection(self.options["url"], self.options["ca"])
        return Device(Server(connection, self.options["token"]), self.database(database), name)

    def closed_server(self):
        """The server that makes no databases."""
        connection = Connection(self.options["closed_url"], self.options["ca"])
        return Server(connection, self.options["token"])

    def alive(self):
        """The server goes on: a good handshake succeeds."""
        self.device("alive").handshake()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("url", "ca", "token", "db"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--reader-token", help="a token that may only read")
    parser.add_argument("--named-token", help="a token for the database --named-db only")
    parser.add_argument("--named-db")
    parser.add_argument("--closed-url", help="a server that makes no databases and has none")
    parser.add_argument("--only", default="", help="run the checks with this in their name")
    parser.add_argument("--write", metavar="FILE", help="write, remember it in FILE, no checks")
    parser.add_argument("--restarted", metavar="FILE", help="check FILE against the restarted server")
    parser.add_argument("--restored", metavar="FILE", help="check FILE against a server with older data")
    options = vars(parser.parse_args())
    bench = Bench(options)
    if options["write"]:
        return restart.write(bench, options["write"])
    if options["restarted"]:
        CHECKS[:] = restart.restart_checks(options["restarted"])
    if options["restored"]:
        CHECKS[:] = restart.restore_checks(options["restored"])
    failed = run(bench, options["only"])
    print(f"{len(CHECKS)} checks, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
