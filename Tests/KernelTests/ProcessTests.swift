import Foundation
import Glibc
import LaunchProtocol
import Linux
import SupervisorClient
import TestKit
import Testing

extension KernelTests {
    /// What a process is when its program starts: R11, users, capabilities, limits, filters.
    @Suite struct ProcessTests {
        /// `/proc/self/status` as a dictionary, read by the process itself.
        private static func status(_ text: String) -> [String: String] {
            var fields: [String: String] = [:]
            for line in text.split(separator: "\n") {
                guard let colon = line.firstIndex(of: ":") else { continue }
                fields[String(line[..<colon])] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
                    .replacingOccurrences(of: "\t", with: " ")
            }
            return fields
        }

        private static func hex(_ mask: UInt64) -> String {
            let digits = String(mask, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }

        struct Identity: CustomTestStringConvertible {
            var testDescription: String
            var user: (uid: UInt32, gid: UInt32, groups: [UInt32])
            var bounding: UInt64 = ContainerPlan.defaultCapabilities
            var permitted: UInt64?
            var ambient: UInt64 = 0
            var hasNoNewPrivileges = false
            var expected: [String: String]
        }

        static let identities: [Identity] = [
            Identity(
                testDescription: "root with the default set", user: (0, 0, [10, 20]),
                expected: [
                    "Uid": "0 0 0 0", "Gid": "0 0 0 0", "Groups": "10 20", "CapInh": hex(0), "CapPrm": hex(0x5fb),
                    "CapEff": hex(0x5fb), "CapBnd": hex(0x5fb), "CapAmb": hex(0), "NoNewPrivs": "0", "Seccomp": "0",
                ]),
            Identity(
                testDescription: "another user", user: (1_000, 2_000, []),
                expected: [
                    "Uid": "1000 1000 1000 1000", "Gid": "2000 2000 2000 2000", "Groups": "", "CapInh": hex(0),
                    "CapPrm": hex(0), "CapEff": hex(0), "CapBnd": hex(0x5fb), "CapAmb": hex(0),
                ]),
            Identity(
                testDescription: "a user with an ambient capability", user: (1_000, 1_000, [5]), permitted: 1 << 10,
                ambient: 1 << 10, hasNoNewPrivileges: true,
                expected: [
                    "Uid": "1000 1000 1000 1000", "Groups": "5", "CapInh": hex(1 << 10), "CapPrm": hex(1 << 10),
                    "CapEff": hex(1 << 10), "CapBnd": hex(0x5fb), "CapAmb": hex(1 << 10), "NoNewPrivs": "1",
                ]),
            Identity(
                testDescription: "root without any capability", user: (0, 0, []), bounding: 0, hasNoNewPrivileges: true,
                expected: [
                    "CapInh": hex(0), "CapPrm": hex(0), "CapEff": hex(0), "CapBnd": hex(0), "CapAmb": hex(0),
                    "NoNewPrivs": "1",
                ]),
            Identity(
                testDescription: "the highest ids", user: (4_294_967_294, 4_294_967_294, [4_294_967_294]),
                expected: [
                    "Uid": "4294967294 4294967294 4294967294 4294967294", "Groups": "4294967294", "CapPrm": hex(0),
                ]),
        ]

        @Test(arguments: identities) func aContainerIsExactlyWhoItIsToldToBe(_ identity: Identity) async throws {
            try await withPod { pod in
                let outcome = try await pod.run { plan in
                    plan.arguments = ["/bin/cat", "/proc/self/status"]
                    plan.user = identity.user
                    plan.bounding = identity.bounding
                    plan.permitted = identity.permitted
                    plan.ambient = identity.ambient
                    plan.hasNoNewPrivileges = identity.hasNoNewPrivileges
                }
                let status = Self.status(outcome.stdout)
                for (key, value) in identity.expected { #expect(status[key] == value, "\(key)") }
            }
        }

        /// Rule R11: nothing is inherited by accident, in a container and in an exec alike.
        private func checkInheritance(_ text: String, isMain: Bool) throws {
            let parts = text.components(separatedBy: "----\n")
            try #require(parts.count == 6, "\(text)")
            let status = Self.status(parts[0])
            for key in ["SigBlk", "SigIgn"] { #expect(status[key] == Self.hex(0), "\(key)") }
            // A shell or cat has no handlers of its own.
            #expect(status["SigCgt"] == Self.hex(0))
            #expect(status["Umask"] == "0022")
            #expect(status["Threads"] == "1")
            #expect(status["Speculation_Store_Bypass"] != nil)
            // Fields after the name: 19 nice, 41 policy, 40 real-time priority, 6 session, 5 group, 3 state.
            let fields = parts[1].split(separator: ")").last?.split(separator: " ").map(String.init) ?? []
            try #require(fields.count > 39)
            #expect(fields[16] == "0" && fields[38] == "0" && fields[37] == "0")
            if isMain { #expect(fields[3] == "1" && fields[2] == "1") }
            #expect(parts[2] == "A=1\nPATH=/bin\n")
            #expect(parts[3] == "0\n")
            let limits = parts[4].split(separator: "\n").first { $0.hasPrefix("Max open files") } ?? ""
            #expect(limits.split(separator: " ").dropFirst(3).prefix(2) == ["512", "1024"])
            let core = parts[4].split(separator: "\n").first { $0.hasPrefix("Max core file size") } ?? ""
            #expect(core.split(separator: " ").dropFirst(4).prefix(2) == ["0", "0"])
            // The directory that ls itself reads is the fourth.
            #expect(parts[5] == "0\n1\n2\n3\n")
        }

        private static let inheritance = """
            cat /proc/self/status; echo ----; cat /proc/self/stat; echo ----; env | sort | grep -v -e SHLVL -e PWD -e ^_=; \
            echo ----; cat /proc/self/oom_score_adj; echo ----; cat /proc/self/limits; echo ----; ls /proc/self/fd
            """

        @Test func nothingIsInheritedByAccident() async throws {
            try await withPod { pod in
                // What a careless parent could hand on.
                let limits: [Step] = [
                    .setResourceLimit(resource: UInt32(RLIMIT_NOFILE.rawValue), soft: 512, hard: 1_024, clamp: false),
                    .setResourceLimit(resource: UInt32(RLIMIT_CORE.rawValue), soft: 0, hard: 0, clamp: false),
                ]
                let outcome = try await pod.shell(Self.inheritance) { plan in
                    plan.limits = limits
                    plan.environment = ["PATH=/bin", "A=1"]
                }
                #expect(outcome.record.exitCode == 0, "\(outcome.stderr)")
                try checkInheritance(outcome.stdout, isMain: true)

                var main = try pod.container("main", ["/bin/sleep", "1000"])
                main.limits = limits
                try await pod.start("main", main)
                let inside = try await pod.output(in: "main", Self.inheritance) { plan in
                    plan.environment = ["PATH=/bin", "A=1"]
                    plan.limits = limits
                }
                try checkInheritance(inside, isMain: false)
            }
        }

        @Test func theProgramHasDescriptorsZeroToTwoOnly() async throws {
            try await withPod { pod in
                let launched = try await pod.start("c", pod.container("c", ["/bin/sleep", "1000"]))
                let fds = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(launched.pid)/fd").sorted()
                #expect(fds == ["0", "1", "2"])
                #expect(
                    try link("/proc/\(launched.pid)/fd/0") == "/dev/null" || link("/proc/\(launched.pid)/fd/0") == "/")
                #expect(try link("/proc/\(launched.pid)/fd/1").hasPrefix("pipe:["))
                #expect(try link("/proc/\(launched.pid)/exe").hasSuffix("/bin/busybox"))
            }
        }

        @Test func standardInputIsNullAndReadsNothing() async throws {
            try await withPod { pod in
                let outcome = try await pod.shell("cat; stat -L -c %t:%T /proc/self/fd/0")
                #expect(outcome.stdout == "1:3\n")
            }
        }

        @Test func theOOMScoreIsTheContainersOwn() async throws {
            try await withPod { pod in
                #expect(try await pod.shell("cat /proc/self/oom_score_adj") { $0.oomScoreAdj = 500 }.stdout == "500\n")
                #expect(try await pod.shell("cat /proc/self/oom_score_adj") { $0.oomScoreAdj = 0 }.stdout == "0\n")
                // Below what this process may set it is clamped, and never fails.
                let least = try await pod.shell("cat /proc/self/oom_score_adj") { $0.oomScoreAdj = -1_000 }.stdout
                #expect(least == (TestHost.hasCapability(24) ? "-1000\n" : "0\n"))
            }
        }

        @Test func aLimitAboveTheHardOneIsClampedOrRefusedAsThePlanSays() async throws {
            try await withPod { pod in
                let files = UInt32(RLIMIT_NOFILE.rawValue)
                let much: UInt64 = 1 << 40
                func step(_ clamp: Bool) -> Step {
                    .setResourceLimit(resource: files, soft: much, hard: much, clamp: clamp)
                }
                let outcome = try await pod.shell("ulimit -Hn") { $0.limits = [step(true)] }
                #expect(outcome.record.exitCode == 0 && !outcome.stdout.isEmpty)
                do {
                    _ = try await pod.shell("true") { $0.limits = [step(false)] }
                    Issue.record("raised")
                } catch let error as SupervisorError {
                    #expect(error == .stepFailed(index: 2, errno: .notPermitted, detail: []))
                }
            }
        }

        /// `if (nr == number) return ERRNO(code); return ALLOW;` on x86-64.
        private static func filter(denying number: UInt32, errno code: UInt32) -> Bytes {
            func instruction(_ code: UInt16, _ jt: UInt8, _ jf: UInt8, _ k: UInt32) -> Bytes {
                [UInt8(truncatingIfNeeded: code), UInt8(truncatingIfNeeded: code >> 8), jt, jf]
                    + (0..<4).map { UInt8(truncatingIfNeeded: k >> ($0 * 8)) }
            }
            return instruction(0x20, 0, 0, 0) + instruction(0x15, 0, 1, number)
                + instruction(0x06, 0, 0, 0x0005_0000 | code) + instruction(0x06, 0, 0, 0x7fff_0000)
        }

        @Test(arguments: [false, true]) func aSeccompFilterIsInForceInContainersAndExecs(_ noNewPrivileges: Bool)
            async throws
        {
            try await withPod { pod in
                // mkdir(2) and mkdirat(2): busybox uses the first.
                let filter = Self.filter(denying: 83, errno: 42)
                for uid: UInt32 in [0, 1_000] {
                    let outcome = try await pod.shell("grep Seccomp: /proc/self/status; mkdir /tmp/x") { plan in
                        plan.filter = filter
                        plan.hasNoNewPrivileges = noNewPrivileges
                        plan.user.uid = uid
                    }
                    #expect(outcome.stdout == "Seccomp:\t2\n")
                    #expect(outcome.stderr.contains("No message of desired type"), "\(outcome.stderr)")
                }
                try await pod.start("c", pod.container("c", ["/bin/sleep", "1000"]))
                let result = try await pod.exec(in: "c", "grep Seccomp: /proc/self/status; mkdir /tmp/x") { plan in
                    plan.filter = filter
                    plan.hasNoNewPrivileges = noNewPrivileges
                }
                guard case .exited(_, let stdout, let stderr) = result else { throw TestFailure("timed out") }
                #expect(text(stdout.bytes) == "Seccomp:\t2\n")
                #expect(text(stderr.bytes).contains("No message of desired type"))
            }
        }

        @Test func aFilterThatDoesNotLoadFailsTheLaunch() async throws {
            try await withPod { pod in
                // Division by zero is no valid program.
                let bad: Bytes = [0x34, 0, 0, 0, 0, 0, 0, 0]
                do {
                    _ = try await pod.shell("true") { $0.filter = bad }
                    Issue.record("launched without the filter")
                } catch let error as SupervisorError {
                    guard case .stepFailed(_, .invalidArgument, _) = error else { throw error }
                }
            }
        }

        @Test func theSessionKeyringIsNew() async throws {
            try await withPod { pod in
                let outcome = try await pod.shell("cat /proc/keys || true; cat /proc/self/sessionid")
                #expect(outcome.record.exitCode == 0)
            }
        }
    }
}
