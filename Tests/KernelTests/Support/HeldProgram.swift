import Foundation
import Glibc
import Linux
import TestKit

/// A program whose execve(2) waits, so that a launch that has come as far as that stands still: there is a lease on its file
/// (F_SETLEASE, fcntl(2)), which the kernel takes away only after /proc/sys/fs/lease-break-time, 45 s.
final class HeldProgram: Sendable {
    /// In the containers of the pod.
    let path: String
    private let file: OwnedFD

    init(in pod: TestPod, applet: String = "true") throws {
        try pod.files.directory("lower/held")
        let copy = pod.files.path("lower/held/\(applet)")
        try FileManager.default.copyItem(atPath: BusyboxRoot.source, toPath: copy)
        path = "/held/\(applet)"
        file = try OwnedFD.open(Path(copy), .readOnly)
        // SIGIO would end this process; nobody minds SIGURG.
        try control(Self.setSignal, SIGURG)
        try control(Self.setLease, F_WRLCK)
    }

    /// Waits until a process is in execve(2) of it: the lease is asked back then.
    func isAwaited() async throws {
        try await eventually("execve waits") { try control(Self.getLease, 0) == F_WRLCK ? nil : () }
    }

    func release() throws { try control(Self.setLease, F_UNLCK) }

    private static let setSignal: Int32 = 10
    private static let setLease: Int32 = 1024
    private static let getLease: Int32 = 1025

    @discardableResult private func control(_ command: Int32, _ argument: Int32) throws -> Int32 {
        let result = file.withRaw { fcntl($0, command, argument) }
        if result < 0 { throw Errno(errno) }
        return result
    }
}
