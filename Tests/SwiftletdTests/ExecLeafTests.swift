import Foundation
import Glibc
import Linux
import TestKit
import Testing

@testable import swiftletd

private let cgroupMount: String? = {
    do { return try MountInfo.cgroup2MountPoint().map { String(decoding: $0, as: UTF8.self) } } catch { return nil }
}()

/// The cgroups of execs, on the running kernel.
@Suite(.enabled(if: geteuid() == 0 && cgroupMount != nil, "needs root and a cgroup2 hierarchy"))
struct ExecLeafTests {
    private let container = "\(cgroupMount ?? "")/swiftlet-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"

    private func withContainer(_ body: (ContainerLeaves) async throws -> Void) async throws {
        try FileManager.default.createDirectory(atPath: container, withIntermediateDirectories: false)
        defer {
            for number in 0..<3 { rmdir("\(container)/exec-\(number)") }
            rmdir(container)
        }
        try await body(ContainerLeaves(container))
    }

    private func leaf(_ leaves: ContainerLeaves) throws -> ExecLeaf {
        if let kept = leaves.takeKept() { return kept }
        return try leaves.make()
    }

    /// A process in a leaf.
    private func sleeper(in leaf: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sleep")
        process.arguments = ["1000"]
        try process.run()
        let members = try OwnedFD.open(Path("\(container)/\(leaf)/cgroup.procs"), .writeOnly)
        try members.writeAll(Array("\(process.processIdentifier)".utf8))
        return process
    }

    private func exists(_ leaf: String) -> Bool { access("\(container)/\(leaf)", F_OK) == 0 }

    @Test("who comes into a leaf after it was killed is killed too, and the leaf goes")
    func late() async throws {
        try await withContainer { leaves in
            let leaf = try leaf(leaves)
            leaf.kill()
            let process = try sleeper(in: "exec-0")
            await leaf.end()
            // A cgroup in which somebody lives cannot be removed.
            #expect(!exists("exec-0"))
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
    }

    @Test("a leaf that was not killed stays for the next exec, but not while somebody lives there")
    func kept() async throws {
        try await withContainer { leaves in
            let first = try leaf(leaves)
            let process = try sleeper(in: "exec-0")
            await first.end()
            let second = try leaf(leaves)
            #expect(exists("exec-0") && exists("exec-1"))
            // The end of an exec is no reason to kill what it left.
            #expect(process.isRunning)
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            let third = try leaf(leaves)
            #expect(!exists("exec-2"))
            await second.end(isSpoiled: true)
            await third.end()
            #expect(exists("exec-0") && !exists("exec-1"))
        }
    }
}
