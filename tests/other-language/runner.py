"""Named checks: registered by `@check`, run one after the other, one line each."""

import time
import traceback

CHECKS = []


class Failure(Exception):
    """A check that does not hold; the text says what was expected and what came."""


def check(name, needs=()):
    """Registers a check. `needs` names options without which it cannot be asked."""

    def register(function):
        CHECKS.append((name, tuple(needs), function))
        return function

    return register


def expect(condition, what):
    if not condition:
        raise Failure(what)


def expect_equal(actual, expected, what):
    if actual != expected:
        raise Failure(f"{what}: expected {expected!r}, got {actual!r}")


def run(bench, pattern=""):
    """Runs all checks whose name contains `pattern`; how many failed."""
    failed = 0
    for name, needs, function in CHECKS:
        if pattern not in name or any(bench.options[option] is None for option in needs):
            continue
        started = time.monotonic()
        try:
            function(bench)
            bench.alive()
        except ConnectionRefusedError:
            print(f"FAILED {name}: nothing listens at the address of the server", flush=True)
            return failed + 1
        except Exception as error:
            failed += 1
            print(f"FAILED {name}: {_reason(error)}", flush=True)
            bench.server.connection.close()
        else:
            print(f"ok {name} ({(time.monotonic() - started) * 1000:.0f} ms)", flush=True)
    return failed


def _reason(error):
    frames = traceback.extract_tb(error.__traceback__)
    here = next((f for f in reversed(frames) if "check" in f.filename.rsplit("/", 1)[-1]), frames[-1])
    return f"{type(error).__name__}: {error} ({here.filename.rsplit('/', 1)[-1]}:{here.lineno})"
