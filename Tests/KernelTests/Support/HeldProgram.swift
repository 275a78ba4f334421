import Foundation
import Glibc
import LaunchProtocol
import Linux
import SupervisorClient
import TestKit
import Testing

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

/// A container `c`, and an exec of a program in it that waits in execve(2).
func withHeldExec(
    _ filter: Bytes? = nil, deadlineMilliseconds: UInt32 = 20_000,
    _ body: (TestPod, ExecPlan, HeldProgram) async throws -> Void
) async throws {
    try await withPod { pod in
        let program = try HeldProgram(in: pod)
        try await pod.start("c", pod.container("c", ["/bin/sleep", "1000"]))
        var plan = ExecPlan(container: "c", arguments: [program.path])
        plan.filter = filter
        plan.hasNoNewPrivileges = true
        plan.deadlineMilliseconds = deadlineMilliseconds
        plan.streams = .null
        try await body(pod, plan, program)
        try await demandNothingElse(pod)
        #expect(try await pod.output(in: "c", "echo alive") == "alive\n")
    }
}

/// All processes but the container's are gone, and reaped.
func demandNothingElse(_ pod: TestPod) async throws {
    let supervisor = try pod.client.supervisorPID
    try await eventually("one child") { try children(of: supervisor).count == 1 ? () : nil }
}

/// Zombies too.
private func children(of parent: Int32) throws -> [Int32] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { name in
        guard let pid = Int32(name), let stat = try? readFile("/proc/\(pid)/stat") else { return nil }
        let fields = String(decoding: stat, as: UTF8.self).split(separator: ")").last?.split(separator: " ")
        return fields?.dropFirst().first == "\(parent)" ? pid : nil
    }
}

func launch(_ plan: ExecPlan, in pod: TestPod) async throws -> LaunchedProcess {
    try await pod.client.launch(
        plan.plan(), process: bytes("e"), container: bytes("c"), cgroup: pod.cgroupDescriptor("c/e"))
}
