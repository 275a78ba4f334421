/// Why a seccomp profile cannot be put in force.
package enum SeccompError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The document is not a profile.
    case malformed(reason: String)
    /// A word of the profile that has no meaning here; without it the profile would not be what was asked for.
    case unknown(what: String, value: String)
    /// libseccomp or the kernel's limits refused it.
    case refused(operation: String, errno: Int32)
    case tooManyInstructions(Int)

    package var description: String {
        switch self {
        case .malformed(let reason): "read seccomp profile: \(reason)"
        case .unknown(let what, let value): "read seccomp profile: \(what) \"\(value.prefix(64))\" is not supported"
        case .refused(let operation, let errno): "compile seccomp profile: \(operation): error \(errno)"
        case .tooManyInstructions(let count): "compile seccomp profile: \(count) instructions, the kernel takes 4096"
        }
    }
}
