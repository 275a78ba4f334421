package import LaunchProtocol
import Linux
import Synchronization

extension SupervisorConnection {
    /// How long an ended exec may stay in its supervisor's memory.
    static let forgetDelay = Duration.seconds(10)

    /// Lets the supervisor forget an ended process, with others: when there are enough of them or after `forgetDelay`, since each
    /// time both sides are woken, which costs a good part of a probe. Nobody waits for the answer: with the connection it has
    /// forgotten.
    package func forgetLater(_ process: Bytes) {
        forgetExit(of: process)
        let isFull = state.withLock { state in
            if state.isEnded { return false }
            state.forgettable.append(process)
            if state.forgetTimer == nil {
                state.forgetTimer = reactor.schedule(after: Self.forgetDelay) { [weak self] in self?.sendForgets() }
            }
            return state.forgettable.count >= ConnectionState.forgettableMax
        }
        if isFull { sendForgets() }
    }

    /// Sends what `forgetLater` has left.
    func sendForgets() {
        let (processes, timer) = state.withLock { state in
            defer { (state.forgettable, state.forgetTimer) = ([], nil) }
            return (state.forgettable, state.forgetTimer)
        }
        if let timer { reactor.cancel(timer) }
        for process in processes {
            do throws(SupervisorError) {
                try send(
                    .forget(process: process), descriptors: DescriptorTable(), deadline: Self.requestDeadline,
                    operation: "forget", waiter: nil)
            } catch { return }
        }
    }
}
