import NIOCore

/// A timer for the earliest of many deadlines. Nearly every call ends long before its own, and the timer then waits for
/// the next: a call costs no timer.
struct DeadlineTimer {
    private var scheduled: (deadline: NIODeadline, timer: Scheduled<Void>)?

    /// Sees to it that `ring` is called at the deadline, or before: whoever is called cancels, looks which deadlines have
    /// passed, and adds the next of the others.
    mutating func add(_ deadline: NIODeadline, on loop: any EventLoop, ring: @escaping () -> Void) {
        if let scheduled, scheduled.deadline <= deadline { return }
        cancel()
        scheduled = (deadline, loop.assumeIsolated().scheduleTask(deadline: deadline, ring))
    }

    mutating func cancel() {
        scheduled?.timer.cancel()
        scheduled = nil
    }
}
