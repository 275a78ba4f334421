/// The head of an HTTP/1.1 request (RFC 9112). A client sends one on each connection, and no body.
struct RequestHead: Equatable {
    /// An answer that ends the connection.
    struct Refusal: Error, Equatable {
        var status: Int
        var reason: String
        var headers: [(String, String)] = []

        static func == (a: Self, b: Self) -> Bool { a.status == b.status && a.reason == b.reason }
    }

    static let bytesMax = 16 << 10
    private static let fieldsMax = 100

    var path: String
    var query: String
    private var fields: [(name: String, value: String)] = []

    static func == (a: Self, b: Self) -> Bool {
        a.path == b.path && a.query == b.query && a.fields.elementsEqual(b.fields, by: ==)
    }

    /// Reads everything up to the empty line, without it.
    init(_ text: String) throws(Refusal) {
        var lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)[...]
        let words = (lines.popFirst() ?? "").split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words[1].hasPrefix("/"), words[2].hasPrefix("HTTP/") else {
            throw Refusal(status: 400, reason: "malformed request line")
        }
        guard words[2] == "HTTP/1.1" else { throw Refusal(status: 505, reason: "not HTTP/1.1") }
        guard words[0] == "GET" || words[0] == "POST" else {
            throw Refusal(status: 405, reason: "method is neither GET nor POST", headers: [("Allow", "GET, POST")])
        }
        let target = words[1].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(target[0])
        query = target.count > 1 ? String(target[1]) : ""
        guard lines.count <= Self.fieldsMax else { throw Refusal(status: 431, reason: "too many headers") }
        for line in lines {
            guard let colon = line.firstIndex(of: ":"), colon != line.startIndex,
                line[..<colon].utf8.allSatisfy(Self.isTokenByte), line.utf8.allSatisfy({ $0 >= 0x20 || $0 == 9 })
            else { throw Refusal(status: 400, reason: "malformed header") }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            fields.append((line[..<colon].lowercased(), String(value.reversed().drop { $0 == " " }.reversed())))
        }
        guard values("transfer-encoding").isEmpty, values("content-length").allSatisfy({ $0 == "0" }) else {
            throw Refusal(status: 400, reason: "request has a body")
        }
    }

    func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

    /// Whether a header that is a list has this member, in whatever case.
    func lists(_ member: String, in name: String) -> Bool {
        Negotiation.members(values(name)).contains { $0.lowercased() == member.lowercased() }
    }

    /// token of RFC 9110, 5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
