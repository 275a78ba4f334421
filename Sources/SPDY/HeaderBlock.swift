/// Name/value header blocks (SPDY/3, 2.6.10) before compression: a count, then lengths and bytes, all big-endian.
enum HeaderBlock {
    static func encode(_ headers: SPDYHeaders) -> [UInt8] {
        var bytes: [UInt8] = []
        append(headers.fields.count, to: &bytes)
        for field in headers.fields {
            for text in [field.name.utf8, field.value.utf8] {
                append(text.count, to: &bytes)
                bytes += text
            }
        }
        return bytes
    }

    static func decode(_ bytes: [UInt8], headersMax: Int) throws(SPDYError) -> SPDYHeaders {
        var rest = bytes[...]
        let count = try takeNumber(&rest)
        guard count <= headersMax else {
            throw SPDYError("header block has \(count) headers, of \(headersMax) allowed")
        }
        var headers = SPDYHeaders()
        var names: Set<[UInt8]> = []
        for _ in 0..<count {
            let name = try takeText(&rest)
            let value = try takeText(&rest)
            guard !name.isEmpty, !name.contains(where: { (0x41...0x5a).contains($0) || $0 == 0 }) else {
                throw SPDYError("header name is empty or not in lower case")
            }
            guard names.insert([UInt8](name)).inserted else { throw SPDYError("header block repeats a name") }
            headers.append(String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
        }
        guard rest.isEmpty else { throw SPDYError("header block is followed by \(rest.count) bytes") }
        return headers
    }

    private static func append(_ number: Int, to bytes: inout [UInt8]) {
        let number = UInt32(clamping: number)
        for shift: UInt32 in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    private static func takeNumber(_ rest: inout ArraySlice<UInt8>) throws(SPDYError) -> Int {
        guard rest.count >= 4 else { throw SPDYError("header block is cut off") }
        let number = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(4)
        return number
    }

    private static func takeText(_ rest: inout ArraySlice<UInt8>) throws(SPDYError) -> ArraySlice<UInt8> {
        let length = try takeNumber(&rest)
        guard rest.count >= length else { throw SPDYError("header block is cut off") }
        let text = rest.prefix(length)
        rest = rest.dropFirst(length)
        return text
    }
}
