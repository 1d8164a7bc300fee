"""The load: a cheap HTTP/1.1 keep-alive client in a process of its own.

Reads one JSON job per line on standard input and answers one JSON line:
``{port, connections, seconds, requests: [text], rate, same}`` ->
``{count, seconds, failures, samples, mixed, microseconds: [sorted]}``.
``rate`` spaces requests out (per second, all connections); ``same`` names members that must be equal in every
row answered.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from itertools import cycle

import uvloop

HEAD_END = b"\r\n\r\n"
MOST_SAMPLES = 5


class Client(asyncio.Protocol):
    """One connection: sends the next request when the last answer is complete."""

    def __init__(self, job: "Job") -> None:
        self.job = job
        self.buffer = bytearray()
        self.started = 0
        self.wanted = -1
        self.idle = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.next()

    def next(self) -> None:
        if self.job.over():
            self.idle = True
            self.job.left(self)
            return
        wait = self.job.wait()
        if wait > 0:
            self.idle = True
            asyncio.get_running_loop().call_later(wait, self.send)
        else:
            self.send()

    def send(self) -> None:
        self.idle = False
        self.started = time.perf_counter_ns()
        self.transport.write(next(self.job.requests))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if self.wanted < 0:
            end = self.buffer.find(HEAD_END)
            if end < 0:
                return
            self.wanted = end + 4 + content_length(bytes(self.buffer[:end]).lower())
        if len(self.buffer) >= self.wanted:
            self.job.answered(time.perf_counter_ns() - self.started, self.buffer)
            self.buffer.clear()
            self.wanted = -1
            self.next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.idle:
            self.job.failed(f"connection closed: {exc!r}")
        self.job.left(self)


def content_length(head: bytes) -> int:
    """Return how long the body is; a chunked one would make the client dear, and no server here sends one."""
    at = head.find(b"content-length:")
    if at < 0:
        if b"transfer-encoding" in head:
            raise SystemExit("an answer is chunked: the load cannot read it")
        return 0
    return int(head[at + 15 :].split(b"\r", 1)[0])


class Job:
    """One run of load."""

    def __init__(self, spec: dict) -> None:
        self.requests: Iterator[bytes] = cycle([text.encode() for text in spec["requests"]])
        self.seconds = float(spec["seconds"])
        self.same = spec.get("same", ())
        self.rate = spec.get("rate")
        self.times: list[int] = []
        self.failures = self.mixed = 0
        self.samples: list[str] = []
        self.clients: set[Client] = set()
        self.done = asyncio.Event()
        self.begin = self.due = time.perf_counter()

    def over(self) -> bool:
        return time.perf_counter() - self.begin >= self.seconds

    def wait(self) -> float:
        """Return how long the next request waits, to keep the rate."""
        if not self.rate:
            return 0.0
        now = time.perf_counter()
        self.due = max(self.due + 1 / self.rate, now - 0.05)
        return self.due - now

    def answered(self, nanoseconds: int, answer: bytearray) -> None:
        self.times.append(nanoseconds // 1000)
        if answer[9:10] != b"2":
            self.failed(answer[:600].decode(errors="replace"))
        elif self.same:
            rows = json.loads(answer[answer.find(HEAD_END) + 4 :])
            for row in rows if isinstance(rows, list) else [rows]:
                if len({json.dumps(row.get(name)) for name in self.same}) != 1:
                    self.mixed += 1
                    self.failed(f"mixed: {row}")

    def failed(self, what: str) -> None:
        self.failures += 1
        if len(self.samples) < MOST_SAMPLES:
            self.samples.append(what)

    def left(self, client: Client) -> None:
        self.clients.discard(client)
        if not self.clients:
            self.done.set()


async def run(spec: dict) -> dict:
    """Run one job."""
    loop = asyncio.get_running_loop()
    job = Job(spec)
    job.clients = {Client(job) for _ in range(spec["connections"])}
    transports = [
        (await loop.create_connection(lambda client=client: client, "127.0.0.1", spec["port"]))[0]
        for client in list(job.clients)
    ]
    await asyncio.wait_for(job.done.wait(), job.seconds + 30)
    seconds = time.perf_counter() - job.begin
    for transport in transports:
        transport.close()
    return {
        "count": len(job.times),
        "seconds": seconds,
        "failures": job.failures,
        "mixed": job.mixed,
        "samples": job.samples,
        "microseconds": sorted(job.times),
    }


def main() -> None:
    """Answer jobs until standard input ends."""
    for line in sys.stdin:
        print(json.dumps(uvloop.run(run(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
