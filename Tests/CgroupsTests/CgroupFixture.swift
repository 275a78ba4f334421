import Cgroups
import Foundation
import Linux
import Model
import TestKit
import Testing

/// A place in the host's hierarchy that belongs to one test.
struct CgroupFixture {
    let cgroups: Cgroups
    let base: CgroupPath
    let mountPoint: String

    /// Tests that touch the kernel need root and a cgroup2 mount.
    static let isPossible: Bool = {
        do { return try geteuid() == 0 && !Cgroups.mountPoint().isEmpty } catch { return false }
    }()

    static let controllers: Set<String> = {
        do {
            let words = try String(contentsOfFile: Cgroups.mountPoint() + "/cgroup.controllers", encoding: .utf8)
            return Set(words.split(whereSeparator: \.isWhitespace).map(String.init))
        } catch { return [] }
    }()

    init(requireControllers: Bool = false) throws {
        mountPoint = try Cgroups.mountPoint()
        cgroups = try Cgroups(
            mountPoint: mountPoint, names: CgroupNames(driver: .cgroupfs, prefix: "swiftlet-"),
            requireControllers: requireControllers, pool: BlockingPool(name: "cgroups", threadsMax: 4))
        base = try CgroupPath(parent: "/swiftlet-test-\(UInt64.random(in: 0...UInt64.max))")
    }

    /// Runs a test body and removes what it left.
    static func with(
        requireControllers: Bool = false, isolation: isolated (any Actor)? = #isolation,
        _ body: (CgroupFixture) async throws -> Void
    ) async throws {
        let fixture = try CgroupFixture(requireControllers: requireControllers)
        do {
            try await body(fixture)
        } catch {
            try await fixture.cgroups.remove(fixture.base)
            throw error
        }
        try await fixture.cgroups.remove(fixture.base)
    }

    func text(_ path: CgroupPath, _ file: String) throws -> String {
        String(decoding: try readFile(mountPoint + path.description + "/" + file), as: UTF8.self).trimmingCharacters(
            in: .newlines)
    }

    /// Starts a shell that first moves itself into the cgroup, and then runs `script` with the arguments $1...
    func shell(in path: CgroupPath, _ script: String, _ arguments: [String] = []) throws -> SpawnedProgram {
        let all =
            ["sh", "-c", "echo 0 > \"$0\" || exit 99; " + script, mountPoint + path.description + "/cgroup.procs"]
            + arguments
        return try ProgramSpawn(
            "/bin/sh", arguments: all.map { Array($0.utf8) },
            environment: [Array("PATH=/usr/sbin:/usr/bin:/sbin:/bin".utf8)]
        ).start()
    }

    /// Waits for an event of the kernel that has no descriptor; the test's time limit ends a wait in vain.
    func until(_ isTrue: () throws -> Bool) async throws {
        while try !isTrue() { try await Task.sleep(for: .milliseconds(2)) }
    }
}
