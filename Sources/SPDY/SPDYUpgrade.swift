package import NIOCore

/// A client's HTTP upgrade to SPDY/3.1: sends the request, reads the answer, and puts a session in its own place.
package final class SPDYUpgrade: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    /// Why there is no session.
    package struct Refusal: Error, Equatable, Sendable, CustomStringConvertible {
        /// Zero where there was no answer of HTTP.
        package var httpStatus: Int
        package var description: String
    }

    private static let answerBytesMax = 64 << 10

    private let request: String
    private let session: SPDYSession
    private let upgraded: EventLoopPromise<String>
    private var answer = ByteBuffer()
    private var isDone = false

    /// - Parameters:
    ///   - path: What stands in the URL behind the host, with its query.
    ///   - protocols: For `X-Stream-Protocol-Version`, the best first; the promise gets the one that the server chose.
    package init(
        path: String, host: String, protocols: [String], session: SPDYSession, upgraded: EventLoopPromise<String>
    ) {
        let versions = protocols.map { "X-Stream-Protocol-Version: \($0)\r\n" }.joined()
        request =
            "POST \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
            + "Content-Length: 0\r\n\(versions)\r\n"
        self.session = session
        self.upgraded = upgraded
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { sendRequest(context) }
    }

    package func channelActive(context: ChannelHandlerContext) {
        sendRequest(context)
        context.fireChannelActive()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDone else { return }
        answer.writeImmutableBuffer(unwrapInboundIn(data))
        guard let end = endOfHead() else {
            if answer.readableBytes > Self.answerBytesMax { refuse(context, 0, "answer has no end") }
            return
        }
        let lines = (answer.getString(at: 0, length: end) ?? "").split(separator: "\r\n")
        let words = lines.first?.split(separator: " ", maxSplits: 2) ?? []
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            return refuse(context, 0, "answer is not of HTTP/1.1")
        }
        let fields = lines.dropFirst()
        guard status == 101, value("upgrade", in: fields)?.lowercased() == "spdy/3.1" else {
            let length = value("content-length", in: fields).flatMap(Int.init) ?? Self.answerBytesMax
            // The reason is in the body, which may be still on its way.
            if answer.readableBytes - end >= min(length, Self.answerBytesMax) { refuseWithBody(context, status, end) }
            return
        }
        isDone = true
        answer.moveReaderIndex(to: end)
        upgrade(context, value("x-stream-protocol-version", in: fields) ?? "")
    }

    package func channelInactive(context: ChannelHandlerContext) {
        if let end = endOfHead() {
            refuseWithBody(context, Int(answer.getString(at: 9, length: 3) ?? "") ?? 0, end)
        } else {
            refuse(context, 0, "connection was closed before the answer")
        }
        context.fireChannelInactive()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) { refuse(context, 0, "\(error)") }

    package func handlerRemoved(context: ChannelHandlerContext) { refuse(context, 0, "connection was closed") }

    private func sendRequest(_ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(string: request)), promise: nil)
    }

    private func upgrade(_ context: ChannelHandlerContext, _ version: String) {
        do {
            try context.pipeline.syncOperations.addHandler(session, position: .after(self))
        } catch {
            upgraded.fail(error)
            return context.close(promise: nil)
        }
        upgraded.succeed(version)
        if answer.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(answer)) }
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    private func refuseWithBody(_ context: ChannelHandlerContext, _ status: Int, _ end: Int) {
        let body = answer.getString(at: end, length: answer.writerIndex - end) ?? ""
        let text = body.trimmingSuffix { $0.isWhitespace }
        refuse(context, status, text.isEmpty ? "HTTP status \(status)" : String(text))
    }

    private func refuse(_ context: ChannelHandlerContext, _ status: Int, _ reason: String) {
        guard !isDone else { return }
        isDone = true
        upgraded.fail(Refusal(httpStatus: status, description: reason))
        context.close(promise: nil)
    }

    /// Where the body begins.
    private func endOfHead() -> Int? {
        let bytes = answer.readableBytesView
        guard bytes.count >= 4 else { return nil }
        for index in bytes.startIndex...(bytes.endIndex - 4)
        where bytes[index] == 13 && bytes[index + 1] == 10 && bytes[index + 2] == 13 && bytes[index + 3] == 10 {
            return index + 4
        }
        return nil
    }

    private func value(_ name: String, in fields: ArraySlice<Substring>) -> String? {
        for field in fields {
            let parts = field.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == name else { continue }
            return String(parts[1].drop { $0 == " " }.trimmingSuffix { $0 == " " })
        }
        return nil
    }
}

extension StringProtocol {
    fileprivate func trimmingSuffix(while isDropped: (Character) -> Bool) -> SubSequence {
        var end = endIndex
        while end > startIndex, isDropped(self[index(before: end)]) { end = index(before: end) }
        return self[startIndex..<end]
    }
}
