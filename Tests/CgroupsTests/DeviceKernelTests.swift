import Cgroups
import Foundation
import Linux
import Model
import TestKit
import Testing

@Suite("device programs of the kernel", .enabled(if: CgroupFixture.isPossible), .timeLimit(.minutes(10)))
struct DeviceKernelTests {
    /// What every container that is not privileged gets (behaviour of the OCI runtimes).
    static let container: [DeviceRule] =
        [
            .denyAll, DeviceRule(allow: true, kind: .character, access: .mknod),
            DeviceRule(allow: true, kind: .block, access: .mknod),
            DeviceRule(allow: true, kind: .character, major: 136),
        ]
        + [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2)].map {
            DeviceRule(allow: true, kind: .character, major: $0, minor: $1)
        }

    /// Opens a node inside the cgroup, with the shell's redirection.
    func verdict(_ fixture: CgroupFixture, _ path: CgroupPath, _ script: String, _ node: String) throws
        -> Linux.ExitStatus
    {
        try fixture.shell(in: path, script, [node]).pidfd.wait()
    }

    @Test(
        "in a container's cgroup disks and memory cannot be opened though their nodes can be made, and /dev/null works")
    func container() async throws {
        let root = try TemporaryRoot()
        try await CgroupFixture.with { fixture in
            let path = try fixture.base.appending("c")
            try await fixture.cgroups.create(path, devices: DeviceProgram(Self.container))

            // EPERM is the program's answer; a disk that is not there would answer ENXIO, which the control below
            // shows.
            let open = """
                (exec 3<"$1") 2>/dev/null && exit 0
                case $( (exec 3<"$1") 2>&1) in *"not permitted"*) exit 41;; *) exit 42;; esac
                """
            let make = "mknod \"$1\" $(case \"$1\" in *b) echo b 8 0;; *) echo c 1 1;; esac) || exit 43; "
            for name in ["disk-b", "mem-c"] {
                #expect(try verdict(fixture, path, make + open, root.path(name)) == .exited(41), "\(name)")
            }
            #expect(
                try verdict(fixture, path, "echo x > \"$1\" && read y < \"$1\"; [ -z \"$y\" ]", "/dev/null")
                    == .exited(0))
            #expect(try verdict(fixture, path, "head -c 1 \"$1\" > /dev/null", "/dev/zero") == .exited(0))

            // The same nodes outside of a container's cgroup: the program was the reason.
            let free = try fixture.base.appending("free")
            try await fixture.cgroups.create(free)
            for name in ["disk-b", "mem-c"] {
                #expect(try verdict(fixture, free, open, root.path(name)) != .exited(41), "\(name)")
            }
        }
    }

    @Test("without any allowing rule a node cannot even be made")
    func denyAll() async throws {
        let root = try TemporaryRoot()
        try await CgroupFixture.with { fixture in
            let path = try fixture.base.appending("c")
            try await fixture.cgroups.create(path, devices: DeviceProgram([.denyAll]))
            #expect(try verdict(fixture, path, "mknod \"$1\" c 1 3 2>&-", root.path("null")) == .exited(1))
            #expect(try verdict(fixture, path, "(exec 3<\"$1\") 2>&-", "/dev/null") != .exited(0))
        }
    }

    @Test("read and write are told apart")
    func readOnly() async throws {
        try await CgroupFixture.with { fixture in
            let path = try fixture.base.appending("c")
            let rules = [
                DeviceRule.denyAll, DeviceRule(allow: true, kind: .character, major: 1, minor: 5, access: .read),
            ]
            try await fixture.cgroups.create(path, devices: DeviceProgram(rules))
            #expect(try verdict(fixture, path, "exec 3<\"$1\"", "/dev/zero") == .exited(0))
            #expect(try verdict(fixture, path, "(exec 3>\"$1\") 2>&-", "/dev/zero") != .exited(0))
            #expect(try verdict(fixture, path, "(exec 3<>\"$1\") 2>&-", "/dev/zero") != .exited(0))
        }
    }

    @Test("a cgroup that is taken over has one program, the new one")
    func replaced() async throws {
        try await CgroupFixture.with { fixture in
            let path = try fixture.base.appending("c")
            try await fixture.cgroups.create(path, devices: DeviceProgram([.denyAll]))
            try await fixture.cgroups.create(path, devices: DeviceProgram(Self.container))
            #expect(try BpfDeviceProgram.count(on: fixture.cgroups.open(path)) == 1)
            #expect(try verdict(fixture, path, "exec 3<\"$1\"", "/dev/null") == .exited(0))
        }
    }

    @Test("the kernel's verifier takes every list, the longest too")
    func verifier() throws {
        var generator = SeededGenerator.announced("device programs are verified")
        for _ in 0..<50 {
            let rules = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                DeviceRule(
                    allow: .random(using: &generator), kind: generator.pick([.all, .block, .character]),
                    major: generator.pick([nil, 0, 8, .max]), minor: generator.pick([nil, 0, 1, .max]),
                    access: .init(rawValue: .random(in: 0...7, using: &generator)))
            }
            _ = try BpfDeviceProgram(instructions: DeviceProgram(rules).instructions.map(\.encoded))
        }
        let longest = (0..<UInt32(DeviceProgram.rulesMax)).map {
            DeviceRule(
                allow: $0 % 3 != 0, kind: .character, major: $0, minor: $0, access: .init(rawValue: UInt8($0 % 8)))
        }
        _ = try BpfDeviceProgram(instructions: DeviceProgram(longest).instructions.map(\.encoded))
    }

    @Test("a program that the kernel refuses comes with the verifier's words")
    func refusal() {
        let error = #expect(throws: BpfRefusal.self) { _ = try BpfDeviceProgram(instructions: [0x95]) }
        #expect(error?.log.isEmpty == false)
    }
}
