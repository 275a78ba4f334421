import NIOCore
import Synchronization

/// Messages of a server stream on their way from the event loop to the task that reads them.
///
/// The stream is read only while less than `bytesMax` wait here, so that a slow reader slows the server down by
/// HTTP/2's flow control instead of filling memory.
final class ResponseInbox: Sendable {
    private static let bytesMax = 256 << 10

    typealias Element = Result<[UInt8]?, GRPCStatus>

    private struct State {
        var messages: CircularBuffer<[UInt8]> = []
        var bytes = 0
        var end: GRPCStatus?
        var waiter: CheckedContinuation<Element, Never>?
        var isPaused = false
    }

    private let state = Mutex(State())
    private let handle: ClientCallHandle

    init(handle: ClientCallHandle) {
        self.handle = handle
    }

    /// The reader gave up: the call is of no use to anyone.
    deinit {
        handle.cancel()
    }

    func push(_ message: [UInt8]) {
        let waiter = state.withLock { state -> CheckedContinuation<Element, Never>? in
            if let waiter = state.waiter {
                state.waiter = nil
                return waiter
            }
            state.messages.append(message)
            state.bytes += message.count
            return nil
        }
        waiter?.resume(returning: .success(message))
    }

    /// Asked after each read of the stream: shall it be read on? If not, `next` asks for more once there is room.
    func wantsMore() -> Bool {
        state.withLock { state in
            state.isPaused = state.bytes >= Self.bytesMax
            return !state.isPaused
        }
    }

    func finish(_ status: GRPCStatus) {
        let waiter = state.withLock { state -> CheckedContinuation<Element, Never>? in
            state.end = state.end ?? status
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: Self.element(of: status))
    }

    /// The next message, or nil at the end of a stream that went well. Only one task may wait here.
    func next() async -> Element {
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                var isRoomAgain = false
                let element: Element? = state.withLock { state in
                    if let message = state.messages.popFirst() {
                        state.bytes -= message.count
                        isRoomAgain = state.isPaused && state.bytes < Self.bytesMax
                        if isRoomAgain { state.isPaused = false }
                        return .success(message)
                    }
                    if let end = state.end { return Self.element(of: end) }
                    guard state.waiter == nil else {
                        return .failure(GRPCStatus(code: .internal, message: "two tasks read one stream"))
                    }
                    state.waiter = waiter
                    return nil
                }
                if isRoomAgain { handle.read() }
                if let element { waiter.resume(returning: element) }
            }
        } onCancel: {
            handle.cancel()
        }
    }

    private static func element(of status: GRPCStatus) -> Element {
        status.code == .ok ? .success(nil) : .failure(status)
    }
}
