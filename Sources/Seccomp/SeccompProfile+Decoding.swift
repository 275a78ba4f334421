import OCI

extension SeccompProfile {
    /// Profiles in use have a few tens of kilobytes.
    package static let bytesMax = 1 << 20

    /// Reads a profile in the JSON format that docker and containers share.
    ///
    /// Strict: an unknown member, action, comparison, architecture or flag is an error, because each would make the
    /// profile another one than was asked for. Names of calls are not judged here; the compiler skips those that it
    /// does not know.
    package init(decoding bytes: [UInt8]) throws(SeccompError) {
        let document: Document
        do {
            document = try RuntimeJSON.decode(
                Document.self, from: bytes, what: "seccomp profile", bytesMax: Self.bytesMax)
        } catch {
            switch error {
            case .tooLarge(_, let bytesMax): throw .malformed(reason: "it is larger than \(bytesMax) bytes")
            case .malformed(_, let reason): throw .malformed(reason: reason)
            }
        }
        try self.init(document)
    }

    private init(_ document: Document) throws(SeccompError) {
        let number = try Self.errno(document.defaultErrnoRet, document.defaultErrno)
        let action = try SeccompAction(name: document.defaultAction, number: number)
        guard (document.listenerPath ?? "").isEmpty else { throw .unknown(what: "member", value: "listenerPath") }
        for flag in document.flags ?? [] where SeccompFlag(rawValue: flag) == nil {
            throw .unknown(what: "flag", value: flag)
        }
        var rules: [Rule] = []
        for syscall in document.syscalls ?? [] { rules.append(try syscall.rule()) }
        self.init(
            defaultAction: action, architectures: try Self.architectures(document), flags: document.flags ?? [],
            rules: rules)
    }

    /// `errnoRet` is a number, containers' format has the name in `errno` besides.
    fileprivate static func errno(_ number: UInt32?, _ name: String?) throws(SeccompError) -> UInt32? {
        guard let name, !name.isEmpty else { return number }
        guard let named = ErrnoNames.number(name) else { throw .unknown(what: "errno", value: name) }
        guard number == nil || number == named else {
            throw .malformed(reason: "errno \"\(name)\" and errnoRet disagree")
        }
        return named
    }

    private static func architectures(_ document: Document) throws(SeccompError) -> [String] {
        let listed = document.architectures ?? []
        let map = document.archMap ?? []
        guard listed.isEmpty || map.isEmpty else {
            throw .malformed(reason: "it has both \"architectures\" and \"archMap\"")
        }
        for name in listed + map.flatMap({ [$0.architecture] + ($0.subArchitectures ?? []) }) {
            guard SeccompArchitecture.isKnown(name) else { throw .unknown(what: "architecture", value: name) }
        }
        guard let own = map.first(where: { $0.architecture == SeccompArchitecture.native.rawValue }) else {
            return listed
        }
        return [own.architecture] + (own.subArchitectures ?? [])
    }
}

/// SECCOMP_FILTER_FLAG_* that a profile may ask for (seccomp(2)).
package enum SeccompFlag: String, Sendable {
    case synchroniseThreads = "SECCOMP_FILTER_FLAG_TSYNC"
    case log = "SECCOMP_FILTER_FLAG_LOG"
    case allowSpeculation = "SECCOMP_FILTER_FLAG_SPEC_ALLOW"

    package var kernelValue: UInt32 {
        switch self {
        case .synchroniseThreads: 1
        case .log: 2
        case .allowSpeculation: 4
        }
    }
}

private struct Document: Decodable {
    var defaultAction: String
    var defaultErrnoRet: UInt32?
    var defaultErrno: String?
    var architectures: [String]?
    var archMap: [ArchMap]?
    var flags: [String]?
    var listenerPath: String?
    var listenerMetadata: String?
    var syscalls: [Syscall]?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case defaultAction, defaultErrnoRet, defaultErrno, architectures, archMap, flags, listenerPath,
            listenerMetadata, syscalls
    }

    init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownMembers(CodingKeys.self)
        let members = try decoder.container(keyedBy: CodingKeys.self)
        defaultAction = try members.decode(String.self, forKey: .defaultAction)
        defaultErrnoRet = try members.decodeIfPresent(UInt32.self, forKey: .defaultErrnoRet)
        defaultErrno = try members.decodeIfPresent(String.self, forKey: .defaultErrno)
        architectures = try members.decodeIfPresent([String].self, forKey: .architectures)
        archMap = try members.decodeIfPresent([ArchMap].self, forKey: .archMap)
        flags = try members.decodeIfPresent([String].self, forKey: .flags)
        listenerPath = try members.decodeIfPresent(String.self, forKey: .listenerPath)
        listenerMetadata = try members.decodeIfPresent(String.self, forKey: .listenerMetadata)
        syscalls = try members.decodeIfPresent([Syscall].self, forKey: .syscalls)
    }
}

private struct ArchMap: Decodable {
    var architecture: String
    var subArchitectures: [String]?

    enum CodingKeys: String, CodingKey, CaseIterable { case architecture, subArchitectures }

    init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownMembers(CodingKeys.self)
        let members = try decoder.container(keyedBy: CodingKeys.self)
        architecture = try members.decode(String.self, forKey: .architecture)
        subArchitectures = try members.decodeIfPresent([String].self, forKey: .subArchitectures)
    }
}

private struct Syscall: Decodable {
    var name: String?
    var names: [String]?
    var action: String
    var errnoRet: UInt32?
    var errno: String?
    var args: [Argument]?
    var includes: Filter?
    var excludes: Filter?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case name, names, action, errnoRet, errno, args, includes, excludes, comment
    }

    init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownMembers(CodingKeys.self)
        let members = try decoder.container(keyedBy: CodingKeys.self)
        name = try members.decodeIfPresent(String.self, forKey: .name)
        names = try members.decodeIfPresent([String].self, forKey: .names)
        action = try members.decode(String.self, forKey: .action)
        errnoRet = try members.decodeIfPresent(UInt32.self, forKey: .errnoRet)
        errno = try members.decodeIfPresent(String.self, forKey: .errno)
        args = try members.decodeIfPresent([Argument].self, forKey: .args)
        includes = try members.decodeIfPresent(Filter.self, forKey: .includes)
        excludes = try members.decodeIfPresent(Filter.self, forKey: .excludes)
    }

    func rule() throws(SeccompError) -> SeccompProfile.Rule {
        guard (name ?? "").isEmpty != (names ?? []).isEmpty else {
            throw .malformed(reason: "a rule needs \"names\", or \"name\", and not both")
        }
        let number = try SeccompProfile.errno(errnoRet, errno)
        var arguments: [RuntimeSeccomp.Argument] = []
        for argument in args ?? [] { arguments.append(try argument.checked()) }
        return SeccompProfile.Rule(
            names ?? [name ?? ""], try SeccompAction(name: action, number: number), arguments: arguments,
            includes: try Filter.condition(includes), excludes: try Filter.condition(excludes))
    }
}

private struct Argument: Decodable {
    var index: UInt32
    var value: UInt64
    var valueTwo: UInt64?
    var op: String

    enum CodingKeys: String, CodingKey, CaseIterable { case index, value, valueTwo, op }

    init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownMembers(CodingKeys.self)
        let members = try decoder.container(keyedBy: CodingKeys.self)
        index = try members.decode(UInt32.self, forKey: .index)
        value = try members.decode(UInt64.self, forKey: .value)
        valueTwo = try members.decodeIfPresent(UInt64.self, forKey: .valueTwo)
        op = try members.decode(String.self, forKey: .op)
    }

    func checked() throws(SeccompError) -> RuntimeSeccomp.Argument {
        _ = try SeccompOperator(name: op)
        guard index < 6 else { throw .unknown(what: "argument", value: "\(index)") }
        return RuntimeSeccomp.Argument(index: index, value: value, valueTwo: valueTwo, op: op)
    }
}

private struct Filter: Decodable {
    var caps: [String]?
    var arches: [String]?
    var minKernel: String?

    enum CodingKeys: String, CodingKey, CaseIterable { case caps, arches, minKernel }

    init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownMembers(CodingKeys.self)
        let members = try decoder.container(keyedBy: CodingKeys.self)
        caps = try members.decodeIfPresent([String].self, forKey: .caps)
        arches = try members.decodeIfPresent([String].self, forKey: .arches)
        minKernel = try members.decodeIfPresent(String.self, forKey: .minKernel)
    }

    static func condition(_ filter: Filter?) throws(SeccompError) -> SeccompProfile.Condition {
        var out = SeccompProfile.Condition()
        guard let filter else { return out }
        out.capabilities = filter.caps ?? []
        out.architectures = filter.arches ?? []
        if let text = filter.minKernel, !text.isEmpty {
            guard let version = KernelVersion(release: text) else {
                throw .unknown(what: "kernel version", value: text)
            }
            out.kernel = version
        }
        return out
    }
}

private struct AnyMember: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { return nil }
}

extension Decoder {
    fileprivate func refuseUnknownMembers<Key: CodingKey & CaseIterable>(_ known: Key.Type) throws {
        let names = Set(known.allCases.map(\.stringValue))
        let members = try container(keyedBy: AnyMember.self)
        guard let stranger = members.allKeys.first(where: { !names.contains($0.stringValue) }) else { return }
        throw DecodingError.dataCorruptedError(
            forKey: stranger, in: members, debugDescription: "the member is not known")
    }
}
