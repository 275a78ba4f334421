import CZlib
import NIOCore
import Synchronization

/// Counts named events and lets tests wait for them.
final class Probe: Sendable {
    private struct State {
        var counts: [String: Int] = [:]
        var waiters: [(name: String, count: Int, waiter: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    func signal(_ name: String) {
        let ready = state.withLock { state in
            state.counts[name, default: 0] += 1
            let count = state.counts[name, default: 0]
            let ready = state.waiters.filter { $0.name == name && $0.count <= count }
            state.waiters.removeAll { $0.name == name && $0.count <= count }
            return ready
        }
        for waiter in ready { waiter.waiter.resume() }
    }

    func count(_ name: String) -> Int { state.withLock { $0.counts[name, default: 0] } }

    /// Returns when the event has happened `count` times.
    func wait(for name: String, count: Int = 1) async {
        await withCheckedContinuation { waiter in
            let isReady = state.withLock { state in
                if state.counts[name, default: 0] >= count { return true }
                state.waiters.append((name, count, waiter))
                return false
            }
            if isReady { waiter.resume() }
        }
    }
}

/// What came on one stream, which tests wait for.
final class StreamLog: Sendable {
    struct Content: Sendable {
        var bytes: [UInt8] = []
        /// Also of bytes that are not kept.
        var count = 0
        var sum = Checksum()
        var hasEnded = false
        var isReset = false
        var isAccepted = false
        var isOver: Bool { hasEnded || isReset }
        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    private struct State {
        var content = Content()
        var waiters: [(isEnough: @Sendable (Content) -> Bool, waiter: CheckedContinuation<Content, Never>)] = []
    }

    /// So many bytes are kept; of the rest only the number and the sum.
    private let keptMax = 1 << 20
    private let state = Mutex(State())

    var content: Content { state.withLock { $0.content } }

    func update(_ change: (inout Content) -> Void) {
        let (content, ready) = state.withLock { state in
            change(&state.content)
            let content = state.content
            let ready = state.waiters.filter { $0.isEnough(content) }
            state.waiters.removeAll { $0.isEnough(content) }
            return (content, ready)
        }
        for waiter in ready { waiter.waiter.resume(returning: content) }
    }

    func add(_ bytes: ByteBuffer) {
        update { content in
            content.count += bytes.readableBytes
            content.sum.add(bytes)
            if content.bytes.count < keptMax { content.bytes += bytes.readableBytesView }
        }
    }

    @discardableResult
    func wait(until isEnough: @escaping @Sendable (Content) -> Bool) async -> Content {
        await withCheckedContinuation { waiter in
            let content = state.withLock { state -> Content? in
                if isEnough(state.content) { return state.content }
                state.waiters.append((isEnough, waiter))
                return nil
            }
            if let content { waiter.resume(returning: content) }
        }
    }

    /// Everything, when the stream is over.
    @discardableResult
    func whole() async -> Content { await wait { $0.isOver } }
}

/// CRC-32 of a stream of bytes, at zlib's speed also in a debug build.
struct Checksum: Sendable, Equatable {
    private(set) var value: UInt = 0

    mutating func add(_ bytes: [UInt8]) {
        value = bytes.withUnsafeBufferPointer { crc32(value, $0.baseAddress, UInt32($0.count)) }
    }

    mutating func add(_ bytes: ByteBuffer) {
        value = bytes.withUnsafeReadableBytes {
            crc32(value, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt32($0.count))
        }
    }

    /// Of a block that is sent again and again.
    init(_ block: [UInt8] = [], times: Int = 0) { for _ in 0..<times { add(block) } }
}

/// Returns when a channel is closed.
func becomesClosed(_ channel: any Channel) async {
    await withCheckedContinuation { waiter in channel.closeFuture.whenComplete { _ in waiter.resume() } }
}
