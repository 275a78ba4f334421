package import Linux

/// What one client has of a container's stream: the write end of a pipe of its own, in which waits what it has not read yet.
package final class AttachedPipe {
    package enum Loss { case slow, gone }

    /// The client's number; its two pipes have the same.
    package let client: UInt64
    package let fd: OwnedFD
    /// Set when the pipe is not written any more.
    package fileprivate(set) var loss: Loss?

    /// - Parameter fd: non-blocking.
    package init(_ fd: consuming OwnedFD, client: UInt64) {
        self.fd = fd
        self.client = client
    }
}

extension LogSource {
    /// Copies what was read, from `start` on, to every client. Nobody is waited for: who has no room for all of it has lost
    /// its place, since what it then misses cannot be made good.
    mutating func copy(_ input: borrowing PageBuffer, from start: Int) {
        for pipe in clients {
            do throws(Errno) {
                if try input.write(to: pipe.fd, from: start) < input.count - start { pipe.loss = .slow }
            } catch {
                pipe.loss = error == .again ? .slow : .gone
            }
            if pipe.loss != nil { hasLoss = true }
        }
    }

    /// The clients that have lost their place since the last call; they are not written any more.
    package mutating func takeLosses() -> [AttachedPipe] {
        guard hasLoss else { return [] }
        hasLoss = false
        let lost = clients.filter { $0.loss != nil }
        clients.removeAll { $0.loss != nil }
        return lost
    }
}
