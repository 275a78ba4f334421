import LaunchProtocol
import Linux

/// The step at work as the name of the process: shown by ps(1), and read by the supervisor when a launch hangs or is killed.
///
/// Only steps that may wait are named, since a launch can hang in no other: the name is that of the last one begun. The step
/// at work is that one, or one of those behind it that cannot wait. Until the first there is no name, and none is new from
/// the first seccomp filter on.
enum StepName {
    static let prefix = Path("launch:").bytes

    static func path(of index: Int) -> Path { Path(prefix + decimal(UInt64(index.magnitude))) }

    /// The step's number in a name (`/proc/<pid>/comm`), if it is one of ours.
    static func index(in name: Bytes) -> UInt32? {
        guard name.starts(with: prefix) else { return nil }
        var index: UInt32 = 0
        let digits = name.dropFirst(prefix.count).prefix { $0 != UInt8(ascii: "\n") }
        guard !digits.isEmpty, digits.count <= 6 else { return nil }
        for digit in digits {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            index = index * 10 + UInt32(digit - UInt8(ascii: "0"))
        }
        return index
    }
}

extension Step {
    /// Whether it can wait in the kernel for somebody else: a file server, a lock of a mount table, a daemon's word. What
    /// changes nothing but the process itself cannot.
    var mayWait: Bool {
        switch self {
        case .setOOMScoreAdj, .resetScheduling, .setResourceLimit, .setUmask, .newSessionKeyring,
            .setBoundingCapabilities, .setUser, .setCapabilities, .setNoNewPrivileges:
            false
        default: true
        }
    }
}
