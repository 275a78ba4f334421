import Foundation
import Glibc
import Linux
import TestKit

/// What these tests need of the machine: root, a cgroup2 hierarchy, the launcher, busybox.
enum TestHost {
    static let cgroupMount: String? = {
        do { return try MountInfo.cgroup2MountPoint().map { String(decoding: $0, as: UTF8.self) } } catch { return nil }
    }()

    /// In the names of all directories and cgroups of this run.
    static let mark = "swiftlet-test-\(getpid())"

    static var isUsable: Bool {
        geteuid() == 0 && cgroupMount != nil && LaunchBinary.path != nil && BusyboxRoot.isAvailable
    }

    /// The capabilities of this process: what the launcher has.
    static let capabilities: UInt64 = {
        let text = (try? readFile("/proc/self/status")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("CapPrm:") }
        return line.flatMap { UInt64($0.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16) } ?? 0
    }()

    static func hasCapability(_ number: UInt64) -> Bool { capabilities & (1 << number) != 0 }
}

/// Tries again until `body` gives a value; the limit only keeps a broken run from hanging.
func eventually<T>(_ what: String, within limit: Duration = .seconds(20), _ body: () async throws -> T?) async throws
    -> T
{
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if let value = try await body() { return value }
        try await Task.sleep(for: .milliseconds(2))
    }
    throw TestFailure("never came: \(what)")
}
