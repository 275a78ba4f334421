import Testing

@testable import Lifecycle

@Suite("Trace parents")
struct TraceParentTests {
    private static let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test("a header is read")
    func sound() throws {
        let parent = try #require(TraceParent(header: Self.header))
        #expect(parent.traceID.first == 0x0a && parent.traceID.last == 0x9c && parent.traceID.count == 16)
        #expect(parent.spanID == [0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31])
        #expect(parent.isSampled)
        #expect(TraceParent(header: Self.header.dropLast(2) + "00")?.isSampled == false)
        #expect(TraceParent(header: Self.header.dropLast(2) + "fe")?.isSampled == false)
        #expect(TraceParent(header: "cc" + Self.header.dropFirst(2) + "-of the future") == parent)
        #expect(TraceParent(header: "cc" + Self.header.dropFirst(2)) == parent)
        #expect(TraceParent(header: Self.header, state: "a=1,b=2")?.state == "a=1,b=2")
        for unsound in ["a=\n", "é", String(repeating: "a", count: 513)] {
            #expect(TraceParent(header: Self.header, state: unsound)?.state == "")
        }
    }

    @Test(
        "what is malformed is no header",
        arguments: [
            "", "00", "x", header + "-more", header + "1", String(header.dropLast()), header.uppercased(), " " + header,
            "ff" + header.dropFirst(2), "cc" + header.dropFirst(2) + "x", "0g" + header.dropFirst(2),
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319é-b7ad6b7169203331-01", String(repeating: "0", count: 1 << 20),
        ])
    func malformed(text: String) { #expect(TraceParent(header: text) == nil) }
}
