import Model

/// Checks of single values of a request. Each names the field in its sentence; none changes the value.
enum Check {
    /// PATH_MAX less the terminating NUL.
    static let pathBytesMax = 4095
    static let nameBytesMax = 255
    /// All keys and values of a map of labels or annotations together.
    static let mapBytesMax = 1 << 20
    static let listCountMax = 4096
    /// ARG_MAX of a single string (MAX_ARG_STRLEN, execve(2)).
    static let argumentBytesMax = 131_071
    /// All arguments and variables together: a quarter of the default 8 MiB stack (execve(2)).
    static let argumentsBytesMax = 2 << 20

    static func present<Message>(_ isPresent: Bool, _ message: @autoclosure () -> Message, _ field: String)
        throws(Fault)
        -> Message
    {
        guard isPresent else { throw Fault.invalid("\(field): missing") }
        return message()
    }

    static func noNUL(_ text: String, _ field: String) throws(Fault) {
        guard !text.utf8.contains(0) else { throw Fault.invalid("\(field): carries a NUL byte") }
    }

    /// A text of at most `bytesMax` bytes without control characters.
    static func text(_ text: String, _ field: String, bytesMax: Int = nameBytesMax) throws(Fault) {
        guard text.utf8.count <= bytesMax else {
            throw Fault.invalid("\(field): \(text.utf8.count) bytes, at most \(bytesMax) are allowed")
        }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            throw Fault.invalid("\(field): carries a control character")
        }
    }

    /// A non-empty part of an object's name: it travels in CNI_ARGS and in file names, so no separators of either.
    static func name(_ text: String, _ field: String) throws(Fault) {
        guard !text.isEmpty else { throw Fault.invalid("\(field): empty") }
        try self.text(text, field)
        guard !text.utf8.contains(where: { $0 == 0x2f || $0 == 0x3b || $0 == 0x3d }), text != ".", text != ".." else {
            throw Fault.invalid("\(field): \"\(text)\" is no name: \"/\", \";\", \"=\" are not allowed in it")
        }
    }

    static func absolutePath(_ path: String, _ field: String) throws(Fault) {
        guard !path.isEmpty else { throw Fault.invalid("\(field): empty") }
        guard path.utf8.first == 0x2f else { throw Fault.invalid("\(field): \"\(shortened(path))\" is not absolute") }
        try anyPath(path, field)
    }

    static func relativePath(_ path: String, _ field: String) throws(Fault) {
        guard path.utf8.first != 0x2f else { throw Fault.invalid("\(field): \"\(shortened(path))\" is not relative") }
        try anyPath(path, field)
    }

    private static func anyPath(_ path: String, _ field: String) throws(Fault) {
        guard path.utf8.count <= pathBytesMax else {
            throw Fault.invalid("\(field): \(path.utf8.count) bytes, at most \(pathBytesMax) are allowed")
        }
        try noNUL(path, field)
        guard !path.utf8.contains(0x0a) else { throw Fault.invalid("\(field): carries a line break") }
        for part in path.utf8.split(separator: 0x2f) {
            guard !part.elementsEqual("..".utf8) else {
                throw Fault.invalid("\(field): \"\(shortened(path))\" has a \"..\" in it")
            }
            guard part.count <= nameBytesMax else {
                throw Fault.invalid(
                    "\(field): a component has \(part.count) bytes, at most \(nameBytesMax) are allowed")
            }
        }
    }

    static func map(_ map: [String: String], _ field: String) throws(Fault) {
        var bytes = 0
        for (key, value) in map {
            try noNUL(key, field)
            try noNUL(value, field)
            bytes += key.utf8.count + value.utf8.count
        }
        guard bytes <= mapBytesMax else {
            throw Fault.invalid("\(field): \(bytes) bytes in all, at most \(mapBytesMax) are allowed")
        }
    }

    static func count(_ count: Int, _ field: String, max: Int = listCountMax) throws(Fault) {
        guard count <= max else { throw Fault.invalid("\(field): \(count) entries, at most \(max) are allowed") }
    }

    /// A user or group id; 2^32-1 means "no change" to the kernel and is none.
    static func userID(_ value: Int64, _ field: String) throws(Fault) -> UInt32 {
        guard let id = UInt32(exactly: value), id != UInt32.max else {
            throw Fault.invalid("\(field): \(value) is not in 0...4294967294")
        }
        return id
    }

    static func range<Number: FixedWidthInteger>(_ value: Number, _ range: ClosedRange<Number>, _ field: String)
        throws(Fault)
    {
        guard range.contains(value) else {
            throw Fault.invalid("\(field): \(value) is not in \(range.lowerBound)...\(range.upperBound)")
        }
    }

    /// The front of a text that may be long, for a message.
    static func shortened(_ text: String) -> String {
        text.count <= 120 ? text : text.prefix(120) + "..."
    }

    /// More seconds than any caller waits: ten years.
    static let secondsMax: Int64 = 315_360_000

    /// An id or a prefix of one. Anything that cannot be an id is simply not found, but it must be text, and not empty.
    static func identifier(_ text: String, _ field: String) throws(Fault) -> String {
        guard !text.isEmpty else { throw Fault.invalid("\(field): empty") }
        try self.text(text, field, bytesMax: 4096)
        return text
    }

    /// Set to anything but its default, the field fails the call until its feature lands.
    static func unset(_ isUnset: Bool, _ field: String, _ what: String) throws(Fault) {
        guard isUnset else { throw Fault.unimplemented("\(field): \(what) not supported") }
    }
}
