/// One line of a list that says which device nodes a container may use (OCI runtime-spec, `linux.resources.devices`).
package struct DeviceRule: Sendable, Equatable {
    package enum Kind: Sendable, Equatable, CaseIterable { case all, block, character }

    package struct Access: OptionSet, Sendable, Hashable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        // The bits of BPF_DEVCG_ACC_* (linux/bpf.h).
        package static let mknod = Access(rawValue: 1)
        package static let read = Access(rawValue: 2)
        package static let write = Access(rawValue: 4)
        package static let all: Access = [.mknod, .read, .write]
    }

    package var allow: Bool
    package var kind: Kind
    /// Nil = every number.
    package var major: UInt32?
    package var minor: UInt32?
    package var access: Access

    package init(
        allow: Bool, kind: Kind, major: UInt32? = nil, minor: UInt32? = nil, access: Access = .all
    ) {
        self.allow = allow
        self.kind = kind
        self.major = major
        self.minor = minor
        self.access = access
    }

    /// The first rule of every list for a container that is not privileged.
    package static let denyAll = DeviceRule(allow: false, kind: .all)

    /// From the words of an OCI specification: type "a", "b", "c" or empty, numbers with -1 or nil for any, and letters
    /// of "rwm". Nil where they do not make a rule.
    package init?(allow: Bool, type: String, major: Int64?, minor: Int64?, access: String) {
        switch type {
        case "a", "": kind = .all
        case "b": kind = .block
        case "c", "u": kind = .character
        default: return nil
        }
        func number(_ value: Int64?) -> UInt32?? {
            guard let value, value != -1 else { return .some(nil) }
            return UInt32(exactly: value).map { .some($0) }
        }
        guard let major = number(major), let minor = number(minor) else { return nil }
        var bits: Access = []
        for letter in access.utf8 {
            switch letter {
            case UInt8(ascii: "r"): bits.insert(.read)
            case UInt8(ascii: "w"): bits.insert(.write)
            case UInt8(ascii: "m"): bits.insert(.mknod)
            default: return nil
            }
        }
        self.allow = allow
        self.access = access.isEmpty ? .all : bits
        // "a" covers every device; the numbers of such a rule mean nothing.
        self.major = kind == .all ? nil : major
        self.minor = kind == .all ? nil : minor
    }
}
