/// Who a container runs as, after its image's passwd and group were asked.
package struct ImageUser: Sendable, Equatable {
    package var uid: UInt32
    package var gid: UInt32
    /// Groups of the image's /etc/group that list the user, in their order, without `gid`. Whether they count is the
    /// pod's policy.
    package var additionalGroups: [UInt32] = []
    /// Nil where no passwd entry names one.
    package var home: String?
    /// The name of the passwd entry, if there is one.
    package var name: String?
}

/// Looks users up in an image (passwd(5), group(5)).
///
/// A number is never looked up as a name, and one that is out of range is an error. A name must be found. For numbers
/// the files only add: where they are missing, or no regular files of bearable size, uid and gid are as given and the
/// group defaults to 0.
struct ImageUserLookup {
    /// The content of a file of the image; nil where it is missing.
    let readFile: (String) throws(ImageStoreError) -> [UInt8]?

    func user(_ text: String) throws(ImageStoreError) -> ImageUser {
        let wanted = ImageUserName(text)
        var user = try primary(wanted.user, of: text)
        switch wanted.group {
        case nil: break
        case .number(let gid): user.gid = gid
        case .name(let name): user.gid = try gid(of: name, in: text)
        case .invalid(let part):
            throw Self.invalid(text, "\"\(part)\" is neither a group id from 0 to \(ImageUserName.idMax) nor a name")
        }
        if let name = user.name {
            let isNumber = if case .number = wanted.user { true } else { false }
            let gid = user.gid
            user.additionalGroups = try groups(listing: name, isOptional: isNumber).filter { $0 != gid }
        }
        return user
    }

    // MARK: passwd

    private func primary(_ part: ImageUserName.Part, of text: String) throws(ImageStoreError) -> ImageUser {
        var user: ImageUser
        let entry: [ArraySlice<UInt8>]?
        switch part {
        case .invalid(let part):
            throw Self.invalid(text, "\"\(part)\" is neither a user id from 0 to \(ImageUserName.idMax) nor a name")
        case .number(let uid):
            user = ImageUser(uid: uid, gid: 0)
            entry = Self.line(in: try file("/etc/passwd", isOptional: true)) { $0.count >= 6 && Self.id($0[2]) == uid }
        case .name(let name):
            entry = Self.line(in: try file("/etc/passwd", isOptional: false)) {
                $0.count >= 6 && $0[0].elementsEqual(name.utf8)
            }
            guard let entry else { throw Self.invalid(text, "the image has no user \"\(name)\"") }
            guard let uid = Self.id(entry[2]) else {
                throw Self.invalid(text, "the entry of \"\(name)\" in /etc/passwd has no valid user id")
            }
            user = ImageUser(uid: uid, gid: 0)
        }
        guard let entry else { return user }
        guard let gid = Self.id(entry[3]) else {
            throw Self.invalid(text, "its entry in /etc/passwd has no valid group id")
        }
        user.gid = gid
        user.name = String(decoding: entry[0], as: UTF8.self)
        // It becomes part of an environment: no control characters (CVE-2022-4318).
        let home = entry[5]
        if home.first == UInt8(ascii: "/"), home.count <= 4095, home.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) {
            user.home = String(decoding: home, as: UTF8.self)
        }
        return user
    }

    // MARK: group

    private func gid(of name: String, in text: String) throws(ImageStoreError) -> UInt32 {
        let entry = Self.line(in: try file("/etc/group", isOptional: false)) {
            $0.count >= 3 && $0[0].elementsEqual(name.utf8)
        }
        guard let entry else { throw Self.invalid(text, "the image has no group \"\(name)\"") }
        guard let gid = Self.id(entry[2]) else {
            throw Self.invalid(text, "the entry of \"\(name)\" in /etc/group has no valid group id")
        }
        return gid
    }

    /// NGROUPS_MAX of Linux.
    private static let groupsMax = 65536

    private func groups(listing name: String, isOptional: Bool) throws(ImageStoreError) -> [UInt32] {
        var groups: [UInt32] = []
        var seen: Set<UInt32> = []
        _ = Self.line(in: try file("/etc/group", isOptional: isOptional)) { fields in
            guard fields.count >= 4, let gid = Self.id(fields[2]), !seen.contains(gid),
                fields[3].split(separator: UInt8(ascii: ",")).contains(where: { $0.elementsEqual(name.utf8) })
            else { return false }
            seen.insert(gid)
            groups.append(gid)
            return groups.count == Self.groupsMax
        }
        return groups
    }

    // MARK: Files

    /// The file's bytes. What an image may lack is empty then; what cannot be read otherwise is an error unless
    /// optional.
    private func file(_ path: String, isOptional: Bool) throws(ImageStoreError) -> [UInt8] {
        do throws(ImageStoreError) {
            return try readFile(path) ?? []
        } catch {
            if isOptional { return [] }
            throw error
        }
    }

    /// The fields of the first line that fits; lines that are malformed fit nothing.
    private static func line(in bytes: [UInt8], where fits: ([ArraySlice<UInt8>]) -> Bool) -> [ArraySlice<UInt8>]? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let line = rest.prefix { $0 != 0x0a }
            rest = rest[line.endIndex...].dropFirst()
            let fields = line.split(separator: UInt8(ascii: ":"), maxSplits: 7, omittingEmptySubsequences: false)
            if fits(fields) { return fields }
        }
        return nil
    }

    private static func id(_ field: ArraySlice<UInt8>) -> UInt32? {
        guard (1...10).contains(field.count), field.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let number = field.reduce(UInt64(0)) { $0 * 10 + UInt64($1 - 0x30) }
        return number <= UInt64(ImageUserName.idMax) ? UInt32(number) : nil
    }

    private static func invalid(_ text: String, _ reason: String) -> ImageStoreError {
        .invalidImage("look up user \"\(printable(text.utf8.prefix(128)))\": \(reason)")
    }
}
