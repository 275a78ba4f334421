"""A client of gRPC's health service that nobody here wrote (grpcio) against the daemon's.

    health.py SOCKET

The server has two methods beside it, by which the script says what the daemon comes to: /test.Daemon/Begin and /test.Daemon/End.
Messages are encoded by hand: a service's name is field 1 of the request, a status field 1 of the response.
"""

import sys

import grpc

PATIENCE = 60  # seconds for what must come; only a failure takes as long
SERVING, NOT_SERVING, SERVICE_UNKNOWN = b"\x08\x01", b"\x08\x02", b"\x08\x03"
SERVICES = ["", "runtime.v1.RuntimeService", "runtime.v1.ImageService", "swiftlet.v1.Node"]


def request(service):
    name = service.encode()
    return b"\x0a" + bytes([len(name)]) + name if name else b""


def main():
    channel = grpc.insecure_channel("unix:" + sys.argv[1])
    check = channel.unary_unary("/grpc.health.v1.Health/Check")
    watch = channel.unary_stream("/grpc.health.v1.Health/Watch")

    def tell(what):
        channel.unary_unary("/test.Daemon/" + what)(b"", timeout=PATIENCE)

    def all_are(status):
        for service in SERVICES:
            answer = check(request(service), timeout=PATIENCE)
            assert answer == status, (service, answer)

    watched = watch(request("swiftlet.v1.Node"), timeout=PATIENCE)
    unknown = watch(request("no.such.Service"), timeout=PATIENCE)
    assert next(watched) == NOT_SERVING
    assert next(unknown) == SERVICE_UNKNOWN
    all_are(NOT_SERVING)
    try:
        check(request("no.such.Service"), timeout=PATIENCE)
        raise AssertionError("found")
    except grpc.RpcError as error:
        assert error.code() is grpc.StatusCode.NOT_FOUND, error
    tell("Begin")
    assert next(watched) == SERVING
    all_are(SERVING)
    tell("End")
    assert next(watched) == NOT_SERVING
    all_are(NOT_SERVING)
    for stream in (watched, unknown):
        try:
            raise AssertionError(next(stream))
        except grpc.RpcError as error:
            assert error.code() is grpc.StatusCode.UNAVAILABLE, error
    print("passed")


main()
