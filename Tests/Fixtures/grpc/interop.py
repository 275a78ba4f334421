"""A gRPC client that nobody here wrote (grpcio, on gRPC's C core) against the server of GRPCTests.

    interop.py SOCKET         runs every check; the last one makes the server shut down
    interop.py SOCKET vanish  starts calls and dies without a word

Messages are well-known types encoded by hand, so no generated code is needed.
"""

import os
import signal
import subprocess
import sys

import grpc

PATIENCE = 60  # seconds for what must come; only a failure takes as long
LIMIT = 16 << 20


def varint(number):
    encoded = bytearray()
    while number >= 128:
        encoded.append(number % 128 + 128)
        number //= 128
    return bytes(encoded + bytes([number]))


def text(value):
    """StringValue, and BytesValue too."""
    value = value.encode() if isinstance(value, str) else value
    return b"\x0a" + varint(len(value)) + value if value else b""


def number(value):
    """Int64Value."""
    return b"\x08" + varint(value) if value else b""


def read_varint(encoded, start):
    value = shift = 0
    for index in range(start, len(encoded)):
        value |= (encoded[index] & 127) << shift
        shift += 7
        if encoded[index] < 128:
            return value, index + 1
    raise ValueError("varint ends early")


def payload(message):
    """The value of a StringValue or BytesValue."""
    if not message:
        return b""
    length, start = read_varint(message, 1)
    assert len(message) == start + length
    return message[start:]


def value(message):
    """The value of an Int64Value."""
    return read_varint(message, 1)[0] if message else 0


class Client:
    def __init__(self, path):
        options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
        # A pool of subchannels is shared in a process; each client here wants a connection of its own.
        options.append(("grpc.use_local_subchannel_pool", 1))
        self.channel = grpc.insecure_channel("unix:" + path, options=options)

    def unary(self, method):
        return self.channel.unary_unary("/test.Echo/" + method)

    def call(self, method, request=b"", timeout=PATIENCE, **options):
        return self.unary(method)(request, timeout=timeout, **options)

    def stream(self, method, request=b"", timeout=PATIENCE):
        return self.channel.unary_stream("/test.Echo/" + method)(request, timeout=timeout)

    def count(self, event):
        return value(self.call("EventCount", text(event)))

    def wait(self, event, count):
        self.call("AwaitEvent", text(f"{event} {count}"))

    def failure(self, method, request=b"", timeout=PATIENCE, **options):
        try:
            self.call(method, request, timeout, **options)
        except grpc.RpcError as error:
            return error
        raise AssertionError(f"{method} succeeded")


def unary_calls(client, path):
    for method in ("Inline", "Unary"):
        for content in ("", "x", "käse 🧀", "long " * 100_000):
            assert payload(client.call(method, text(content))).decode() == content


def statuses(client, path):
    message = "it broke: 100 % käse\n日本 \x01"
    for code in grpc.StatusCode:
        if code is grpc.StatusCode.OK:
            continue
        error = client.failure("Fail", text(f"{code.value[0]} {message}"))
        assert error.code() is code, error.code()
        assert error.details() == message, error.details()
        assert dict(error.trailing_metadata())["grpc-status-details-bin"] == b"\x01\x02\xff"
    assert client.failure("Nothing").code() is grpc.StatusCode.UNIMPLEMENTED
    assert client.failure("Inline", b"\xff\xff").code() is grpc.StatusCode.INTERNAL
    long_message = client.failure("Fail", text("5 " + "ä" * 20_000))
    assert long_message.code() is grpc.StatusCode.NOT_FOUND
    assert set(long_message.details()) == {"ä"}


def metadata(client, path):
    headers = [("x-one", "1"), ("x-two-bin", b"\x01\x02\xff"), ("x-two-bin", b"")]
    assert payload(client.call("Header", text("x-one"), metadata=headers)) == b"1"
    assert payload(client.call("Header", text("x-two-bin"), metadata=headers)) == b"[1, 2, 255];[]"
    assert payload(client.call("Peer")).decode().split()[1:] == [str(os.geteuid()), str(os.getegid())]


def compression(client, path):
    error = client.failure("Inline", text("x" * 1000), compression=grpc.Compression.Gzip)
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED, error
    assert "gzip" in error.details()
    client.call("Inline", text("x"))


def deadlines(client, path):
    timeout = 0.02
    while client.count("hanging") == 0:
        assert client.failure("Hang", timeout=timeout).code() is grpc.StatusCode.DEADLINE_EXCEEDED
        timeout *= 2
    client.wait("cancelled", client.count("hanging"))
    # The C core rounds long timeouts up to minutes.
    assert value(client.call("Remaining", timeout=1000)) in range(900, 1100)


def cancellation(client, path):
    before = client.count("hanging")
    calls = [client.unary("Hang").future(b"") for _ in range(20)]
    client.wait("hanging", before + 20)
    for call in calls:
        call.cancel()
    client.wait("cancelled", before + 20)
    assert all(call.cancelled() for call in calls)
    subscription = client.stream("Subscribe")
    assert subscription.initial_metadata() is not None
    subscription.cancel()
    client.wait("cancelled", before + 21)


def vanished_client(client, path):
    before = client.count("hanging")
    child = subprocess.run([sys.executable, __file__, path, "vanish"], check=False)
    assert child.returncode == -signal.SIGKILL, child
    client.wait("cancelled", before + 5)


def vanish(client):
    before = client.count("hanging")
    calls = [client.unary("Hang").future(b"") for _ in range(5)]
    client.wait("hanging", before + 5)
    assert len(calls) == 5
    os.kill(os.getpid(), signal.SIGKILL)


def streams(client, path):
    for count in (0, 1, 5000):
        assert [value(message) for message in client.stream("Count", number(count))] == list(range(count))
    received = []
    try:
        for message in client.stream("CountAndFail", number(100)):
            received.append(value(message))
        raise AssertionError("no status")
    except grpc.RpcError as error:
        assert error.code() is grpc.StatusCode.DATA_LOSS
        assert error.details() == "enough"
    assert received == list(range(100))


def slow_reader(client, path):
    flood = client.stream("Flood")
    next(flood)
    for _ in range(300):
        client.call("Unary", text("x"))
    # grpcio may open its window to some megabytes, the writer must stop somewhere below.
    waiting = client.count("flooded")
    for _ in range(300):
        client.call("Unary", text("x"))
    assert client.count("flooded") == waiting <= 1000, (waiting, client.count("flooded"))
    for _ in range(2000):
        assert len(payload(next(flood))) == 16 << 10
    flood.cancel()
    client.wait("flood", 1)


def sizes(client, path):
    # A tag, four bytes of length, and the value.
    assert value(client.call("Size", text(b"x" * (LIMIT - 5)))) == LIMIT - 5
    assert client.failure("Size", text(b"x" * (LIMIT - 4))).code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert len(client.call("Big", number(LIMIT - 5))) == LIMIT
    assert client.failure("Big", number(LIMIT - 4)).code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    client.call("Inline", text("still here"))


def concurrency(client, path):
    for method in ("Inline", "Unary"):
        calls = [client.unary(method).future(text(str(index)), timeout=PATIENCE) for index in range(200)]
        assert [payload(call.result()) for call in calls] == [str(index).encode() for index in range(200)]


def graceful_shutdown(client, path):
    running = client.unary("Finish").future(text("done"), timeout=PATIENCE)
    client.call("BeginShutdown", text("x"))
    assert payload(running.result()) == b"done"
    for _ in range(1000):
        try:
            client.call("Inline")
        except grpc.RpcError as error:
            assert error.code() is grpc.StatusCode.UNAVAILABLE, error
            return
    raise AssertionError("the server still takes calls")


CHECKS = [
    unary_calls, statuses, metadata, compression, deadlines, cancellation, vanished_client, streams, slow_reader, sizes,
    concurrency, graceful_shutdown,
]


def main():
    signal.alarm(240)
    path = sys.argv[1]
    client = Client(path)
    if sys.argv[2:] == ["vanish"]:
        vanish(client)
    for check in CHECKS:
        check(client, path)
        print("passed", check.__name__, flush=True)


main()
