import Foundation
import Linux
import TestKit

extension Node {
    /// A TCP socket in the node's network. A thread that lasts no longer makes it, since it cannot go back for certain.
    func loopbackSocket() async throws -> LoopbackSocket {
        let namespace = "/proc/\(initProcess)/ns/net"
        return try await withCheckedThrowingContinuation { continuation in
            Thread {
                continuation.resume(
                    with: Result {
                        try NamespaceFlags.network.join(try OwnedFD.open(Path(namespace), .readOnly))
                        return try LoopbackSocket()
                    })
            }.start()
        }
    }

    func logLines() throws -> [Substring] {
        String(decoding: try readFile(daemonLog), as: UTF8.self).split(separator: "\n")
    }

    func logged(_ words: String) throws -> Bool { try logLines().contains { $0.contains(words) } }
}
