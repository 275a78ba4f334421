/// A filter as the kernel takes it, and what was left out of it.
package struct SeccompFilter: Sendable, Equatable {
    /// Classic BPF, 8 bytes an instruction.
    package var program: [UInt8]
    /// SECCOMP_FILTER_FLAG_* bits.
    package var flags: UInt32
    /// Names of calls that neither libseccomp nor we have a number for; no rule about them is in force.
    package var unknownNames: [String]

    package var instructionCount: Int { program.count / 8 }
}
