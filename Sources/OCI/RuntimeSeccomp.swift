/// Which system calls a container may make (runtime-spec, config-linux.md, "Seccomp"): a profile after its conditions
/// are decided.
package struct RuntimeSeccomp: Codable, Sendable, Hashable {
    /// "SCMP_ACT_ERRNO" and its kin.
    package var defaultAction: String
    package var defaultErrnoRet: UInt32?
    /// "SCMP_ARCH_X86_64" and its kin.
    @OmitEmpty package var architectures: [String] = []
    @OmitEmpty package var flags: [String] = []
    @OmitEmpty package var listenerPath: String = ""
    @OmitEmpty package var listenerMetadata: String = ""
    @OmitEmpty package var syscalls: [Syscall] = []

    package init(defaultAction: String, defaultErrnoRet: UInt32? = nil) {
        self.defaultAction = defaultAction
        self.defaultErrnoRet = defaultErrnoRet
    }

    /// One rule: what happens to these calls, where all of `args` hold.
    package struct Syscall: Codable, Sendable, Hashable {
        package var names: [String]
        package var action: String
        package var errnoRet: UInt32?
        @OmitEmpty package var args: [Argument] = []

        package init(_ names: [String], action: String, errnoRet: UInt32? = nil, args: [Argument] = []) {
            self.names = names
            self.action = action
            self.errnoRet = errnoRet
            self.args = args
        }
    }

    /// A comparison of one argument of a call. With "SCMP_CMP_MASKED_EQ", `value` is the mask and `valueTwo` what is
    /// left.
    package struct Argument: Codable, Sendable, Hashable {
        package var index: UInt32
        package var value: UInt64
        package var valueTwo: UInt64?
        package var op: String

        package init(index: UInt32, value: UInt64, valueTwo: UInt64? = nil, op: String) {
            self.index = index
            self.value = value
            self.valueTwo = valueTwo
            self.op = op
        }
    }
}
