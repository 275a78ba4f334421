import OCI
import Synchronization
import Testing

@testable import Seccomp

@Suite struct SeccompCompilerTests {
    static func profile(_ defaultAction: String, _ rules: [RuntimeSeccomp.Syscall]) -> RuntimeSeccomp {
        var profile = RuntimeSeccomp(defaultAction: defaultAction)
        profile.syscalls = rules
        return profile
    }

    @Test("a name that nobody knows is passed over and reported")
    func unknownNames() throws {
        let profile = Self.profile(
            "SCMP_ACT_ERRNO", [.init(["read", "no_such_call", "fchmodat2"], action: "SCMP_ACT_ALLOW")])
        let filter = try SeccompCompiler().filter(for: profile)
        #expect(filter.unknownNames == ["no_such_call"])
    }

    /// What a compiler told of its work: instructions, or nil for a profile that is refused.
    private final class Compiled: Sendable {
        private let told = Mutex<[Int?]>([])
        var all: [Int?] { told.withLock { $0 } }
        func add(_ instructions: Int?) { told.withLock { $0.append(instructions) } }
    }

    @Test("a profile is compiled once")
    func cache() throws {
        let compiled = Compiled()
        let compiler = SeccompCompiler(watch: { { compiled.add($0) } })
        let profile = SeccompProfile.runtimeDefault.resolved(capabilities: [], kernel: KernelVersion(6, 1))
        let first = try compiler.filter(for: profile)
        #expect(try compiler.filter(for: profile) == first)
        #expect(throws: SeccompError.self) { try compiler.filter(for: Self.profile("", [])) }
        #expect(compiled.all == [first.instructionCount, nil])
        let other = try compiler.filter(
            for: SeccompProfile.runtimeDefault.resolved(capabilities: ["CAP_SYS_ADMIN"], kernel: KernelVersion(6, 1)))
        #expect(other != first)
        #expect(first.instructionCount < 2000)
    }

    struct Refused: CustomTestStringConvertible, Sendable {
        var name: String
        var profile: RuntimeSeccomp
        var testDescription: String { name }
    }

    static let refused: [Refused] = [
        Refused(name: "no action", profile: profile("", [])),
        Refused(
            name: "an unknown action of a rule",
            profile: profile("SCMP_ACT_ALLOW", [.init(["open"], action: "SCMP_ACT_MAYBE")])),
        Refused(
            name: "one argument compared twice",
            profile: profile(
                "SCMP_ACT_ERRNO",
                [
                    .init(
                        ["socket"], action: "SCMP_ACT_ALLOW",
                        args: [
                            .init(index: 0, value: 38, op: "SCMP_CMP_NE"),
                            .init(index: 0, value: 40, op: "SCMP_CMP_NE"),
                        ])
                ])),
        Refused(
            name: "an argument that no call has",
            profile: profile(
                "SCMP_ACT_ERRNO",
                [.init(["open"], action: "SCMP_ACT_ALLOW", args: [.init(index: 9, value: 0, op: "SCMP_CMP_EQ")])])),
        Refused(
            name: "an unknown flag",
            profile: {
                var profile = Self.profile("SCMP_ACT_ALLOW", [])
                profile.flags = ["SECCOMP_FILTER_FLAG_WISH"]
                return profile
            }()),
        Refused(
            name: "a listener",
            profile: {
                var profile = Self.profile("SCMP_ACT_ALLOW", [])
                profile.listenerPath = "/run/listener"
                return profile
            }()),
    ]

    @Test("what cannot be enforced is an error", arguments: refused)
    func refuses(refused: Refused) {
        #expect(throws: SeccompError.self) { try SeccompCompiler().filter(for: refused.profile) }
    }

    #if arch(x86_64)
        @Test("a deny list refuses what it names, newer calls too, and allows the rest")
        func denyList() throws {
            let profile = Self.profile(
                "SCMP_ACT_ALLOW",
                [
                    .init(["mkdir", "fchmodat2"], action: "SCMP_ACT_ERRNO", errnoRet: 13),
                    .init(["chmod"], action: "SCMP_ACT_KILL_PROCESS"),
                ])
            let run = BPFInterpreter(program: try SeccompCompiler().filter(for: profile).program)
            #expect(run.answer(number: 83, architecture: BPFInterpreter.x86_64) == .errno(13))
            #expect(run.answer(number: 90, architecture: BPFInterpreter.x86_64) == .killProcess)
            #expect(run.answer(number: 452, architecture: BPFInterpreter.x86_64) == .errno(13))
            #expect(run.answer(number: 2, architecture: BPFInterpreter.x86_64) == .allow)
            #expect(run.answer(number: 600, architecture: BPFInterpreter.x86_64) == .allow)
        }

        @Test("a small allow list refuses old calls with its default and hides new ones")
        func smallAllowList() throws {
            let profile = Self.profile("SCMP_ACT_ERRNO", [.init(["read"], action: "SCMP_ACT_ALLOW")])
            let run = BPFInterpreter(program: try SeccompCompiler().filter(for: profile).program)
            #expect(run.answer(number: 0, architecture: BPFInterpreter.x86_64) == .allow)
            #expect(run.answer(number: 90, architecture: BPFInterpreter.x86_64) == .errno(1))
            #expect(run.answer(number: 439, architecture: BPFInterpreter.x86_64) == .errno(38))
            // Without x32 and i386 in the profile both are foreign.
            #expect(run.answer(number: 3, architecture: BPFInterpreter.i386) == .killThread)
            #expect(run.answer(number: BPFInterpreter.x32Bit, architecture: BPFInterpreter.x86_64) == .killThread)
        }
    #endif

    @Test("flags reach the filter")
    func flags() throws {
        var profile = Self.profile("SCMP_ACT_ALLOW", [])
        profile.flags = ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]
        #expect(try SeccompCompiler().filter(for: profile).flags == 6)
    }
}
