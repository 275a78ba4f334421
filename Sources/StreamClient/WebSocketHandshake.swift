import FoundationEssentials
import NIOCore

/// A client's opening handshake (RFC 6455, 4.1).
struct WebSocketHandshake {
    private static let answerBytesMax = 64 << 10

    let request: String
    private let accepted: String
    private let protocols: [String]
    private var answer = ByteBuffer()

    init(_ url: StreamURL, protocols: [String]) {
        self.protocols = protocols
        let key = Self.base64((0..<16).map { _ in UInt8.random(in: .min ... .max) })
        accepted = Self.base64(SHA1.digest(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)))
        request =
            "GET \(url.path) HTTP/1.1\r\nHost: \(url.authority)\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \(key)\r\n"
            + "Sec-WebSocket-Protocol: \(protocols.joined(separator: ", "))\r\n\r\n"
    }

    /// Takes bytes of the answer: the protocol that the server chose and the bytes behind the answer, once it is whole.
    /// - Parameter isEnd: nothing more comes.
    mutating func receive(
        _ bytes: ByteBuffer, isEnd: Bool = false
    ) throws(StreamError) -> (chosen: String, rest: ByteBuffer)? {
        answer.writeImmutableBuffer(bytes)
        guard let end = endOfHead() else {
            guard answer.readableBytes <= Self.answerBytesMax else {
                throw StreamError("the server's answer has no end")
            }
            if isEnd { throw StreamError("the server closed the connection instead of an answer") }
            return nil
        }
        let lines = (answer.getString(at: 0, length: end) ?? "").split(separator: "\r\n")
        let words = lines.first?.split(separator: " ", maxSplits: 2) ?? []
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            throw StreamError("the server does not answer with HTTP/1.1")
        }
        guard status == 101 else {
            let length = value("content-length", in: lines).flatMap { Int($0) } ?? Self.answerBytesMax
            // The reason is in the body, which may be still on its way.
            if !isEnd, answer.readableBytes - end < min(max(length, 0), Self.answerBytesMax) { return nil }
            throw StreamError(refusal(status, bodyAt: end))
        }
        guard value("upgrade", in: lines)?.lowercased() == "websocket",
            value("sec-websocket-accept", in: lines) == accepted
        else { throw StreamError("the server does not accept WebSocket") }
        let chosen = value("sec-websocket-protocol", in: lines) ?? ""
        guard protocols.contains(chosen) else {
            throw StreamError("the server chose the protocol \"\(chosen)\", which was not offered")
        }
        answer.moveReaderIndex(to: end)
        return (chosen, answer)
    }

    private func refusal(_ status: Int, bodyAt start: Int) -> String {
        let body = answer.getString(at: start, length: min(answer.writerIndex - start, 4096)) ?? ""
        let text = body.split(separator: "\n").joined(separator: " ")
        return "the server answers with HTTP status \(status)" + (text.isEmpty ? "" : ": \(text)")
    }

    private func endOfHead() -> Int? {
        let bytes = answer.readableBytesView
        return bytes.firstRange(of: [13, 10, 13, 10]).map { $0.upperBound }
    }

    private func value(_ name: String, in lines: [Substring]) -> String? {
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == name else { continue }
            return String(parts[1].drop { $0 == " " }.prefix { $0 != " " })
        }
        return nil
    }

    private static func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
}
