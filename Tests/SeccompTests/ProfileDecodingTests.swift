import OCI
import Testing

@testable import Seccomp

@Suite struct ProfileDecodingTests {
    struct Bad: CustomTestStringConvertible, Sendable {
        var name: String
        var text: String
        var says: String
        var testDescription: String { name }

        init(_ name: String, _ text: String, says: String) {
            self.name = name
            self.text = text
            self.says = says
        }
    }

    /// A profile with one rule about open(2).
    static func rule(_ members: String) -> String {
        #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["open"], "# + members + "}]}"
    }

    static let bad: [Bad] = [
        Bad("an empty file", "", says: "not JSON"),
        Bad("no JSON", "(defaultAction)", says: "not JSON"),
        Bad("a list", "[]", says: "wrong type"),
        Bad("an empty object", "{}", says: "defaultAction"),
        Bad("null", "null", says: "null"),
        Bad("half a file", #"{"defaultAction": "SCMP_ACT_ERRNO", "sysc"#, says: "not JSON"),
        Bad("bytes after the end", #"{"defaultAction": "SCMP_ACT_ERRNO"} x"#, says: "after its end"),
        Bad(
            "a member twice", #"{"defaultAction": "SCMP_ACT_LOG", "defaultAction": "SCMP_ACT_ALLOW"}"#, says: "twice"),
        Bad("an unknown action", #"{"defaultAction": "SCMP_ACT_PERMIT"}"#, says: "action \"SCMP_ACT_PERMIT\""),
        Bad("an empty action", #"{"defaultAction": ""}"#, says: "action \"\""),
        Bad(
            "notification",
            rule(#""action": "SCMP_ACT_NOTIFY""#),
            says: "SCMP_ACT_NOTIFY"),
        Bad("a listener", #"{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/x"}"#, says: "listenerPath"),
        Bad("an unknown member", #"{"defaultAction": "SCMP_ACT_ALLOW", "syscall": []}"#, says: "not known"),
        Bad(
            "a misspelt condition",
            rule(#""action": "SCMP_ACT_ALLOW", "include": {}"#),
            says: "not known"),
        Bad(
            "an unknown condition",
            rule(#""action": "SCMP_ACT_ALLOW", "includes": {"cap": []}"#),
            says: "not known"),
        Bad(
            "an unknown architecture", #"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_Z80"]}"#,
            says: "SCMP_ARCH_Z80"),
        Bad(
            "both lists of architectures",
            #"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"], "#
                + #""archMap": [{"architecture": "SCMP_ARCH_X86_64"}]}"#,
            says: "both"),
        Bad(
            "an unknown flag", #"{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_NEW_LISTENER"]}"#,
            says: "flag"),
        Bad(
            "an unknown comparison",
            rule(#""action": "SCMP_ACT_KILL", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_ABOUT"}]"#),
            says: "SCMP_CMP_ABOUT"),
        Bad(
            "a seventh argument",
            rule(#""action": "SCMP_ACT_KILL", "args": [{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]"#),
            says: "argument"),
        Bad(
            "a rule without names",
            #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [], "action": "SCMP_ACT_KILL"}]}"#,
            says: "names"),
        Bad(
            "a rule with name and names",
            rule(#""name": "read", "action": "SCMP_ACT_KILL""#),
            says: "not both"),
        Bad(
            "a rule without action", #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["open"]}]}"#,
            says: "action"),
        Bad(
            "a number that is no errno", #"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 4096}"#,
            says: "errnoRet"),
        Bad("an unknown errno", #"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "ENOPE"}"#, says: "ENOPE"),
        Bad(
            "an errno that disagrees",
            #"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "EPERM", "defaultErrnoRet": 38}"#, says: "disagree"),
        Bad(
            "a kernel that is none",
            rule(#""action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "new"}"#),
            says: "kernel"),
        Bad("a negative number", #"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": -1}"#, says: "not valid"),
        Bad("deep nesting", String(repeating: "[", count: 5000), says: "nests deeper"),
        Bad("a megabyte and one byte", String(repeating: " ", count: SeccompProfile.bytesMax + 1), says: "larger than"),
    ]

    @Test("a file that is no profile is an error, never an empty profile", arguments: bad)
    func refuses(bad: Bad) {
        let error = #expect(throws: SeccompError.self) { try SeccompProfile(decoding: Array(bad.text.utf8)) }
        #expect("\(error.map(String.init(describing:)) ?? "")".contains(bad.says), "\(String(describing: error))")
    }

    @Test("docker's and containers' format is read with its conditions")
    func reads() throws {
        let native = SeccompArchitecture.native.rawValue
        let text = """
            {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "defaultErrno": "ENOSYS",
             "archMap": [{"architecture": "SCMP_ARCH_S390X", "subArchitectures": ["SCMP_ARCH_S390"]},
                         {"architecture": "\(native)", "subArchitectures": ["SCMP_ARCH_X86"]}],
             "syscalls": [
               {"names": ["read", "write"], "action": "SCMP_ACT_ALLOW", "args": [], "comment": "x", "includes": {}},
               {"name": "bpf", "action": "SCMP_ACT_ALLOW", "args": null,
                "includes": {"caps": ["CAP_BPF", "CAP_SYS_ADMIN"]}},
               {"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"},
                "excludes": {"caps": ["CAP_CHOWN"]}},
               {"names": ["mount"], "action": "SCMP_ACT_ERRNO", "errno": "EACCES", "excludes": {"arches": ["s390x"]}},
               {"names": ["clone"], "action": "SCMP_ACT_KILL_PROCESS", "includes": {"arches": ["s390x"]},
                "args": [{"index": 0, "value": 255, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"}]}]}
            """
        let profile = try SeccompProfile(decoding: Array(text.utf8))
        #expect(profile.architectures == [SeccompArchitecture.native.rawValue, "SCMP_ARCH_X86"])
        #expect(profile.defaultAction == .errno(38))

        func names(_ capabilities: Set<String>, _ kernel: KernelVersion) -> [[String]] {
            profile.resolved(capabilities: capabilities, kernel: kernel).syscalls.map(\.names)
        }
        #expect(names([], KernelVersion(6, 1)) == [["read", "write"], ["ptrace"], ["mount"]])
        #expect(names([], KernelVersion(4, 7)) == [["read", "write"], ["mount"]])
        #expect(names(["CAP_BPF"], KernelVersion(4, 7)) == [["read", "write"], ["mount"]])
        #expect(
            names(["CAP_BPF", "CAP_SYS_ADMIN", "CAP_CHOWN"], KernelVersion(6, 1)) == [
                ["read", "write"], ["bpf"], ["mount"],
            ])
        #expect(profile.resolved(capabilities: [], kernel: KernelVersion(6, 1)).syscalls[2].errnoRet == 13)
    }

    @Test(
        "kernel versions",
        arguments: [
            ("6.18.44-fc-v657", KernelVersion(6, 18)), ("5.15", KernelVersion(5, 15)), ("6.1-rc3", KernelVersion(6, 1)),
            ("6", nil), ("", nil),
            ("x.y", nil), ("-1.2", nil), ("6.", nil),
        ] as [(String, KernelVersion?)])
    func versions(text: String, version: KernelVersion?) {
        #expect(KernelVersion(release: text) == version)
    }
}
