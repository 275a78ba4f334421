import NIOCore
import SPDY

/// A stream of SPDY as the parts behind it see it. What comes before there is a receiver waits for one.
final class SPDYClientStream: ClientStream, SPDYStreamDelegate {
    var receiver: (any ClientStreamReceiver)? { didSet { deliverEarly() } }
    private let stream: SPDYStream
    private(set) var isGone = false
    private var early: [ByteBuffer] = []
    private var hasEnded = false

    /// Becomes the stream's delegate.
    init(_ stream: SPDYStream) {
        self.stream = stream
        stream.delegate = self
    }

    var hasHalves: Bool { true }
    var isWritable: Bool { stream.isWritable }
    func write(_ bytes: ByteBuffer) { stream.write(bytes) }
    func finish() { stream.finish() }
    func consumed(_ count: Int) { stream.consumed(count) }

    func reset() {
        stream.reset(.cancel)
        isGone = true
        early = []
        receiver = nil
    }

    func stream(_ stream: SPDYStream, received bytes: ByteBuffer) {
        if let receiver { receiver.received(bytes) } else { early.append(bytes) }
    }

    func streamEnded(_ stream: SPDYStream) {
        hasEnded = true
        receiver?.ended()
    }

    func streamBecameWritable(_ stream: SPDYStream) { receiver?.becameWritable() }
    func streamFinished(_ stream: SPDYStream) { receiver = nil }

    func streamReset(_ stream: SPDYStream, _ status: SPDYResetStatus) {
        isGone = true
        early = []
        let receiver = receiver
        self.receiver = nil
        receiver?.gone()
    }

    private func deliverEarly() {
        guard let receiver, !early.isEmpty || hasEnded else { return }
        let bytes = early
        early = []
        for part in bytes { receiver.received(part) }
        if hasEnded { receiver.ended() }
    }
}
