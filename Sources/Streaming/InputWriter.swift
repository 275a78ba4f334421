import Linux
import NIOCore

/// Copies a client's bytes to a process's input. What the process does not read yet counts against the client.
final class InputWriter: ReadinessWatcher, ClientStreamReceiver {
    /// Pieces up to this size share a buffer: a slice keeps all of the read that it is a part of.
    private static let smallBytes = 4 << 10

    private enum Phase {
        /// The process does not run yet.
        case waiting
        case open
        case closed
    }

    private let stream: any ClientStream
    private let readiness: Readiness
    private let onEnd: () -> Void
    private var phase = Phase.waiting
    private var fd: OwnedFD?
    private var token: UInt64 = 0
    private var isArmed = false
    private var wasArmed = false
    private var hasClientEnded = false
    private var pending = CircularBuffer<ByteBuffer>()

    /// - Parameter onEnd: Called once when the client has ended its input and all of it is written; the input is closed then.
    init(from stream: any ClientStream, _ readiness: Readiness, onEnd: @escaping () -> Void) {
        self.stream = stream
        self.readiness = readiness
        self.onEnd = onEnd
        stream.receiver = self
    }

    /// The process runs; without a descriptor its input goes nowhere.
    func open(_ given: consuming OwnedFD?) {
        fd = given
        guard fd != nil else { return discard() }
        phase = .open
        token = readiness.makeToken(self)
        write()
    }

    func close() {
        release()
        discard()
        stream.receiver = nil
    }

    func isReady() {
        isArmed = false
        write()
    }

    func received(_ bytes: ByteBuffer) {
        guard phase != .closed else { return stream.consumed(bytes.readableBytes) }
        if !pending.isEmpty, bytes.readableBytes <= Self.smallBytes {
            pending[pending.index(before: pending.endIndex)].writeImmutableBuffer(bytes)
        } else {
            pending.append(bytes)
        }
        write()
    }

    func ended() {
        hasClientEnded = true
        write()
    }

    /// A reset of the input alone ends it: the client has nothing more to say.
    func gone() { ended() }

    private func write() {
        // Whatever is told of consumed bytes may end the connection, and this.
        while phase == .open, !isArmed, let first = pending.first {
            do throws(Errno) {
                let count = try fd.lend { fd throws(Errno) in try fd.write(first.readableBytesSpan) } ?? 0
                pending[pending.startIndex].moveReaderIndex(forwardBy: count)
                if count == first.readableBytes { pending.removeFirst() }
                stream.consumed(count)
            } catch .again {
                return arm()
            } catch {
                // EPIPE: the process has closed its input, or is gone. Its client may go on to send.
                release()
                return discard()
            }
        }
        guard phase == .open, !isArmed, hasClientEnded else { return }
        release()
        onEnd()
    }

    private func arm() {
        isArmed = true
        do throws(Errno) {
            _ = try fd.lend { fd throws(Errno) in
                try readiness.arm(fd, .writable, token: token, isFirst: !wasArmed)
            }
            wasArmed = true
        } catch {
            release()
            discard()
        }
    }

    private func release() {
        phase = .closed
        fd.lend { readiness.forget($0, token: token, wasArmed: wasArmed) }
        fd = nil
    }

    private func discard() {
        phase = .closed
        let count = pending.reduce(0) { $0 + $1.readableBytes }
        pending.removeAll()
        stream.consumed(count)
    }
}
