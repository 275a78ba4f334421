/// The response bytes of a call that wait for the client's window or socket, and whether a writer waits with them.
struct SendBacklog {
    private var bytes = 0

    /// True from the high water mark until the low one, so that a writer is not woken for every frame.
    private(set) var isFull = false

    var isEmpty: Bool { bytes == 0 }

    mutating func add(_ count: Int) {
        bytes += count
        if bytes > HTTP2Limits.streamBacklogBytesMax { isFull = true }
    }

    /// Counts bytes that have gone out; true if a writer may go on because of them.
    mutating func remove(_ count: Int) -> Bool {
        bytes -= count
        guard isFull, bytes < HTTP2Limits.streamBacklogBytesLow else { return false }
        isFull = false
        return true
    }
}
