import CLICore

/// Keys that end the attachment and leave the process alone, as docker has them: "ctrl-p,ctrl-q".
struct DetachKeys: Equatable, Sendable {
    static let standard = "ctrl-p,ctrl-q"

    private let keys: [UInt8]
    /// How many of the keys have been typed and are held back.
    private var typed = 0

    /// Reads keys separated by commas, each a character or ctrl- and a letter or one of `@[\]^_`; nil for an empty text.
    init?(parsing text: String) throws(Failure) {
        guard !text.isEmpty else { return nil }
        var keys: [UInt8] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let key = Self.key(part) else {
                throw .usage(
                    "--detach-keys \"\(printable(text))\": expected characters and ctrl-a to ctrl-z, with commas between"
                )
            }
            keys.append(key)
        }
        guard keys.count <= 16 else { throw .usage("--detach-keys: more than 16 keys") }
        self.keys = keys
    }

    private static func key(_ text: Substring) -> UInt8? {
        if text.utf8.count == 1 { return text.utf8.first }
        guard text.lowercased().hasPrefix("ctrl-"), text.utf8.count == 6, let last = text.uppercased().utf8.last,
            (UInt8(ascii: "@")...UInt8(ascii: "_")).contains(last)
        else { return nil }
        return last & 0x1f
    }

    /// What of the typed bytes goes on; keys that may be the beginning of the sequence wait for the next ones.
    mutating func filter(_ bytes: [UInt8]) -> (bytes: [UInt8], isDetached: Bool) {
        if typed == 0, !bytes.contains(keys[0]) { return (bytes, false) }
        var passed: [UInt8] = []
        for byte in bytes {
            while typed > 0, byte != keys[typed] { fallBack(&passed) }
            if byte == keys[typed] { typed += 1 } else { passed.append(byte) }
            if typed == keys.count { return (passed, true) }
        }
        return (passed, false)
    }

    /// Lets the first held key go, and with it all that cannot begin the sequence any more.
    private mutating func fallBack(_ passed: inout [UInt8]) {
        let held = keys[..<typed]
        repeat {
            passed.append(held[held.startIndex + held.count - typed])
            typed -= 1
        } while typed > 0 && !held.suffix(typed).elementsEqual(keys[..<typed])
    }
}
