import Linux
import NIOCore

/// Copies a process's output to a client, no faster than the client takes it: what it does not take stays in the kernel, and
/// in the end the process waits.
final class OutputReader: ReadinessWatcher, ClientStreamReceiver {
    /// One read; a full one makes the next one larger.
    private static let readBytesMin = 4 << 10
    private static let readBytesMax = 256 << 10
    /// Reads before other clients of the loop have their turn.
    private static let readsMax = 16

    private let stream: any ClientStream
    private let loop: any EventLoop
    private let readiness: Readiness
    private let onEnd: () -> Void
    private var fd: OwnedFD?
    private var token: UInt64 = 0
    private var isArmed = false
    private var wasArmed = false
    private var isScheduled = false
    private var readBytes = OutputReader.readBytesMin

    /// Bytes that were read since the start.
    private(set) var byteCount = 0

    /// - Parameter onEnd: Called once, at the end of the output, and not after `close`.
    init(
        _ fd: consuming OwnedFD, to stream: any ClientStream, _ readiness: Readiness, on loop: any EventLoop,
        onEnd: @escaping () -> Void
    ) {
        self.fd = consume fd
        self.stream = stream
        self.loop = loop
        self.readiness = readiness
        self.onEnd = onEnd
        token = readiness.makeToken(self)
        stream.receiver = self
    }

    /// There may be more, and only the client keeps it from being read.
    var isHeldByClient: Bool { fd != nil && !isArmed && !isScheduled }

    /// Reads until there is nothing, the client does not keep up, or others should have a turn.
    func run() {
        guard !isArmed, !isScheduled else { return }
        var reads = 0
        // A stream that the client has reset takes everything and forgets it, so that the process can go on.
        while fd != nil, stream.isWritable || stream.isGone {
            if reads == Self.readsMax { return runLater() }
            reads += 1
            guard step() else { return }
        }
    }

    func close() {
        // Lends what is about to be closed.
        fd.lend { readiness.forget($0, token: token, wasArmed: wasArmed) }
        fd = nil
        isArmed = false
        stream.receiver = nil
    }

    func isReady() {
        isArmed = false
        run()
    }

    func becameWritable() { run() }
    func received(_ bytes: ByteBuffer) { stream.consumed(bytes.readableBytes) }
    func ended() {}
    func gone() { run() }

    /// One read. False when there is nothing to be read now, or ever.
    private func step() -> Bool {
        var buffer = ByteBuffer(repeating: 0, count: readBytes)
        do throws(Errno) {
            let count = try read(into: &buffer)
            guard count > 0 else {
                end()
                return false
            }
            buffer.moveWriterIndex(to: count)
            byteCount += count
            readBytes = count == readBytes ? min(2 * readBytes, Self.readBytesMax) : max(count, Self.readBytesMin)
            stream.write(buffer)
            return true
        } catch .again {
            arm()
            return false
        } catch {
            // A terminal says EIO at its end; nothing else can be done about any other error.
            end()
            return false
        }
    }

    private func read(into buffer: inout ByteBuffer) throws(Errno) -> Int {
        var span = buffer.mutableReadableBytesSpan
        return try fd.lend { fd throws(Errno) in try fd.read(into: &span) } ?? 0
    }

    private func arm() {
        isArmed = true
        do throws(Errno) {
            _ = try fd.lend { fd throws(Errno) in
                try readiness.arm(fd, .readable, token: token, isFirst: !wasArmed)
            }
            wasArmed = true
        } catch {
            end()
        }
    }

    private func runLater() {
        isScheduled = true
        loop.assumeIsolated().execute {
            self.isScheduled = false
            self.run()
        }
    }

    private func end() {
        guard fd != nil else { return }
        close()
        stream.finish()
        onEnd()
    }
}
