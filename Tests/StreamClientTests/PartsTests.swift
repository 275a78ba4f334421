import NIOCore
import Testing

@testable import StreamClient

@Suite struct PartsTests {
    static let urls: [(String, Bool, String, Int, String)] = [
        ("http://127.0.0.1:1234/exec/abc", false, "127.0.0.1", 1234, "/exec/abc"),
        ("https://node/attach/abc?x=1#y", true, "node", 443, "/attach/abc?x=1"),
        ("HTTP://[::1]:80/a/b/c", false, "::1", 80, "/a/b/c"), ("http://host", false, "host", 80, "/"),
        ("http://[fe80::1]", false, "fe80::1", 80, "/"),
    ]

    @Test("a URL is taken apart", arguments: urls)
    func url(text: String, isSecure: Bool, host: String, port: Int, path: String) throws {
        let url = try StreamURL(text)
        #expect((url.isSecure, url.host, url.port, url.path) == (isSecure, host, port, path))
    }

    @Test(
        "what is no URL of a server is refused, and not repeated in the error",
        arguments: [
            "", "/exec/secret", "http:///secret", "ftp://h/secret", "http://h:0/secret", "http://h:70000/secret",
            "http://u@h/secret", "http://[::1/secret", "http://[::1]x/secret", "http://h/secret\r\nX: y",
            "http://h/sec ret",
            "http://:80/secret", "http://h:+80/secret", "http://h?secret", "http://h/\u{e9}secret",
            "http://h/secret" + String(repeating: "x", count: 9000),
        ])
    func badURL(text: String) throws {
        let error = #expect(throws: StreamError.self) { try StreamURL(text) }
        #expect(error?.description.contains("secret") == false)
    }

    @Test(
        "SHA-1 gives the digests of FIPS 180",
        arguments: [
            ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"), ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
            ),
        ])
    func sha1(text: String, digest: String) {
        let hex = SHA1.digest(Array(text.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(hex == digest)
    }

    static let statuses: [(String, Result<RemoteOutcome, StreamError>?)] = [
        ("", nil), (#"{"status":"Success"}"#, .success(.exited(0))),
        (
            #"{"metadata":{},"status":"Failure","message":"command terminated with non-zero exit code","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"42"}]}}"#,
            .success(.exited(42))
        ),
        (#"{"status":"Failure","reason":"InternalError","message":"no such file"}"#, .success(.failed("no such file"))),
        (#"{"status":"Failure","reason":"NonZeroExitCode"}"#, .success(.failed("NonZeroExitCode"))),
        (
            #"{"status":"Failure","reason":"NonZeroExitCode","message":"m","details":{"causes":[{"reason":"ExitCode","message":"99999999999"}]}}"#,
            .success(.failed("m"))
        ),
        ("{}", .success(.failed("the server does not say why"))),
        ("not JSON", .failure(StreamError("the server's status of the command is not readable"))),
        ("[[[", .failure(StreamError("the server's status of the command is not readable"))),
    ]

    @Test("a status becomes an exit code or a sentence", arguments: statuses)
    func status(json: String, outcome: Result<RemoteOutcome, StreamError>?) {
        var status = RemoteStatus()
        // In two parts, as it may arrive.
        let half = json.utf8.count / 2
        for part in [json.utf8.prefix(half), json.utf8.dropFirst(half)] {
            let isTaken = status.append(ByteBuffer(bytes: part))
            #expect(isTaken)
        }
        #expect(status.outcome == outcome)
    }

    @Test("a status that is too long or too deep is refused")
    func hostileStatus() {
        var status = RemoteStatus()
        let isFull = status.append(ByteBuffer(repeating: UInt8(ascii: "["), count: 65536))
        let isMore = status.append(ByteBuffer(string: "x"))
        #expect((isFull, isMore) == (true, false))
        #expect(status.outcome == .failure(StreamError("the server's status of the command is not readable")))
    }
}
