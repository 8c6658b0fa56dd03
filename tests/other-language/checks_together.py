"""Checks of what several clients at once get: sections 1 and 15."""

import random
import threading
import time

from cbor import Reader, encode
from device import outcomes, revisions
from runner import check, expect_equal
from simple_client import AnswerLost, SimpleClient


def tokens_of(data):
    """The tokens of an entity that `tokens_entity` wrote."""
    if data is None:
        return set()
    reader = Reader(data)
    tokens = set()
    for _ in range(reader.map_size()):
        if reader.text() == "id":
            reader.text()
        else:
            tokens = {reader.uint() for _ in range(reader.array_size())}
    return tokens


def tokens_entity(entity_id, tokens):
    return encode({"id": entity_id, "tokens": sorted(tokens)})


class Together:
    """Simple clients that add tokens to a few entities; no token may get lost."""

    def __init__(self, bench, db, seed):
        self.random = random.Random(seed)
        self.ids = [f"n{i}" for i in range(6)]
        self.added = {entity_id: set() for entity_id in self.ids}
        self.clients = [
            SimpleClient(bench.server, bench.database(db), f"device-{i}", self.merge, self.loses)
            for i in range(3)
        ]
        self.losing = True

    def merge(self, local, remote):
        tokens = tokens_of(local) | tokens_of(remote)
        entity_id = Reader(local)
        entity_id.map_size(), entity_id.text()
        return tokens_entity(entity_id.text(), tokens)

    def loses(self):
        return self.losing and self.random.random() < 0.3

    def step(self, token):
        client, entity_id = self.random.choice(self.clients), self.random.choice(self.ids)
        tokens = tokens_of(client.read(entity_id)) | {token}
        client.write(entity_id, tokens_entity(entity_id, tokens))
        self.added[entity_id].add(token)
        if self.random.random() < 0.5:
            self.sync(self.random.choice(self.clients))

    def sync(self, client):
        try:
            client.sync()
        except AnswerLost:
            pass

    def settle(self):
        self.losing = False
        for _ in range(20):
            for client in self.clients:
                client.sync()
            if all(client.settled for client in self.clients):
                break


@check("together: simple clients, lost answers, edits everywhere -> no edit lost, the same bytes on all")
def _(bench):
    for seed in range(5):
        together = Together(bench, f"together-{seed}", seed)
        for token in range(120):
            together.step(token)
        together.settle()
        first, *others = together.clients
        for client in together.clients:
            expect_equal(client.settled, True, f"seed {seed}: {client.name} has nothing left to do")
        for client in others:
            client.sync()
            expect_equal(client.known, first.known, f"seed {seed}: {client.name} and {first.name}")
        for entity_id, tokens in together.added.items():
            expect_equal(tokens_of(first.read(entity_id)), tokens, f"seed {seed}: {entity_id}")


def at_once(jobs):
    """Runs all jobs at the same time, each in a thread; their results in order."""
    results = [None] * len(jobs)
    gate = threading.Barrier(len(jobs))

    def run(i):
        gate.wait()
        try:
            results[i] = jobs[i]()
        except Exception as error:
            results[i] = error

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results


@check("together: many devices push one entity at once -> one is committed, the others are conflicts")
def _(bench):
    devices = [bench.device_apart("race", f"device-{i}") for i in range(8)]
    ops = [device.put({"id": "n1", "by": device.name}) for device in devices]
    answers = at_once([lambda i=i: devices[i].push(ops[i]) for i in range(8)])
    results = sorted(outcomes(answer)[1] for answer in answers)
    expect_equal(results, ["committed"] + ["stale"] * 7, "outcomes")
    expect_equal(len(devices[0].pull_all()[0]), 1, "operations in the log")


@check("together: one push sent many times at once -> the same revisions in every answer, written once")
def _(bench):
    devices = [bench.device_apart("same-push", "device-1") for _ in range(6)]
    ops = [devices[0].put({"id": f"n{i}"}) for i in range(20)]
    body = encode(devices[0].request(ops))
    answers = at_once([lambda d=d: d.server.call("push", body) for d in devices])
    given = [revisions(answer) for answer in answers]
    expect_equal(given, [given[0]] * 6, "revisions")
    expect_equal(len(devices[0].pull_all()[0]), 20, "operations in the log")


@check("together: devices push while one pulls -> every cursor once and in order, no gap is passed")
def _(bench):
    devices = [bench.device_apart("pull-race", f"device-{i}") for i in range(4)]
    reader = bench.device_apart("pull-race", "reader")

    def push_many(device):
        for i in range(15):
            device.push(*[device.put({"id": f"{device.name}-{i}-{j}"}, tx=0) for j in range(4)])
        return device.op_id

    def pull_along():
        ops, cursor, deadline = [], 0, time.monotonic() + 60
        while len(ops) < 4 * 15 * 4 and time.monotonic() < deadline:
            more, cursor = reader.pull_all(cursor, limit=10)
            ops += more
        return ops

    *pushed, ops = at_once([*[lambda d=d: push_many(d) for d in devices], pull_along])
    expect_equal(pushed, [60] * 4, "operations pushed")
    cursors = [op["entityVersion"] for op in ops]
    expect_equal(cursors, list(range(cursors[0], cursors[0] + 240)), "cursors")
