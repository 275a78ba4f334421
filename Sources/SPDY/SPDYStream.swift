package import NIOCore

/// What a stream tells its owner, on the session's event loop.
package protocol SPDYStreamDelegate: AnyObject {
    /// The peer has accepted a stream that we opened.
    func streamAccepted(_ stream: SPDYStream)
    /// Bytes of the peer; they count against the session until `SPDYStream.consumed`.
    func stream(_ stream: SPDYStream, received bytes: ByteBuffer)
    /// The peer sends no more on this stream.
    func streamEnded(_ stream: SPDYStream)
    /// The stream is gone in both directions: reset by the peer or by a limit, or its session has ended. The last call.
    func streamReset(_ stream: SPDYStream, _ status: SPDYResetStatus)
    /// Both sides have ended the stream. The last call.
    func streamFinished(_ stream: SPDYStream)
    /// `isWritable` may be true again.
    func streamBecameWritable(_ stream: SPDYStream)
}

extension SPDYStreamDelegate {
    package func streamAccepted(_ stream: SPDYStream) {}
    package func streamFinished(_ stream: SPDYStream) {}
    package func streamBecameWritable(_ stream: SPDYStream) {}
}

/// One stream of a session. Each side ends its direction with `finish`; `reset` ends both at once.
package final class SPDYStream {
    package let id: UInt32
    /// The headers that it was opened with.
    package let headers: SPDYHeaders
    /// Held until the stream is closed.
    package var delegate: (any SPDYStreamDelegate)?

    let session: SPDYSession
    let isOurs: Bool
    /// SYN_REPLY was sent or received.
    var isAccepted = false
    var hasPeerEnded = false
    /// Our FIN was written, or comes behind `pending`.
    var haveWeEnded = false
    var isFinalSent = false
    /// Reset, or of an ended session.
    var isDead = false

    /// Given to the receiver, and not consumed yet.
    var unconsumedBytes = 0
    /// Consumed, and not announced with WINDOW_UPDATE yet.
    var unannouncedBytes = 0
    /// What the peer grants in all, and what we have sent.
    var creditBytes: Int
    var sentBytes = 0
    /// What the peer's window had no room for.
    var pending = CircularBuffer<ByteBuffer>()

    init(id: UInt32, headers: SPDYHeaders, session: SPDYSession, isOurs: Bool, creditBytes: Int) {
        self.id = id
        self.headers = headers
        self.session = session
        self.isOurs = isOurs
        self.creditBytes = creditBytes
    }

    /// Whether the peer keeps up. A writer that goes on regardless fills memory.
    package var isWritable: Bool {
        !isDead && !haveWeEnded && pending.isEmpty && session.isChannelWritable && session.window(of: self) > 0
    }

    /// Whether the peer may still send.
    package var isPeerOpen: Bool { !isDead && !hasPeerEnded }

    /// Answers a stream of the peer's with SYN_REPLY; what is written before does it too.
    package func accept() {
        guard !isDead, !isOurs, !isAccepted else { return }
        isAccepted = true
        session.answer(.synReply(id: id, headers: SPDYHeaders(), isLast: false))
    }

    /// Sends bytes; dropped after `finish`, and on a stream that is gone.
    package func write(_ bytes: ByteBuffer) {
        guard !isDead, !haveWeEnded, bytes.readableBytes > 0 else { return }
        accept()
        pending.append(bytes)
        session.sendPending(of: self)
    }

    /// Tells the peer that no more bytes come.
    package func finish() {
        guard !isDead, !haveWeEnded else { return }
        accept()
        haveWeEnded = true
        session.sendPending(of: self)
    }

    /// Ends both directions. The delegate is not called.
    package func reset(_ status: SPDYResetStatus) {
        guard !isDead else { return }
        session.answer(.rstStream(id: id, status: status))
        session.drop(self)
    }

    /// The receiver has passed on this many bytes: the peer may send as many again.
    package func consumed(_ count: Int) {
        let count = min(count, unconsumedBytes)
        guard count > 0 else { return }
        unconsumedBytes -= count
        unannouncedBytes += count
        session.consumed(count, by: self)
    }
}
