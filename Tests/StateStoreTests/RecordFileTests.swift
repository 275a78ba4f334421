import TestKit
import Testing

@testable import StateStore

@Suite("the bytes of a record")
struct RecordFileTests {
    static let sample = RecordFile(version: 3, bootID: "0f1e-2d3c", payload: Array("{\"a\":[1,2,3],\"b\":\"x\"}".utf8))

    @Test("golden: the bytes of format 1, which every later version reads")
    func golden() throws {
        let text = "swiftlet-record 1 3 0f1e-2d3c 21 c41b6546\n{\"a\":[1,2,3],\"b\":\"x\"}"
        #expect(String(decoding: Self.sample.bytes, as: UTF8.self) == text)
        #expect(try RecordFile(parsing: Array(text.utf8)) == Self.sample)
    }

    @Test("a cut at any length is found")
    func cut() {
        let whole = Self.sample.bytes
        for length in whole.indices {
            #expect(throws: RecordDamage.self) { try RecordFile(parsing: Array(whole[..<length])) }
        }
        #expect(throws: RecordDamage.self) { try RecordFile(parsing: whole + [0]) }
    }

    @Test("every flipped bit is found")
    func flip() {
        let whole = Self.sample.bytes
        for index in whole.indices {
            for bit in 0..<8 {
                var flipped = whole
                flipped[index] ^= 1 << bit
                #expect(throws: RecordDamage.self, "byte \(index), bit \(bit)") { try RecordFile(parsing: flipped) }
            }
        }
    }

    @Test("a block of zeros or of another record in the middle is found")
    func torn() {
        var generator = SeededGenerator.announced("torn records are found")
        let payload = generator.bytes(countMax: 9000, countMin: 9000)
        let whole = RecordFile(version: 1, bootID: "b", payload: payload).bytes
        for start in stride(from: 0, to: whole.count, by: 512) {
            var zeroed = whole
            for index in start..<min(start + 512, whole.count) { zeroed[index] = 0 }
            #expect(throws: RecordDamage.self) { try RecordFile(parsing: zeroed) }
        }
    }

    @Test("reading is total")
    func total() {
        var generator = SeededGenerator.announced("records are read totally")
        for round in 0..<3000 {
            var bytes = generator.bytes(countMax: 80)
            if round % 2 == 0 { bytes = Array("swiftlet-record 1 ".utf8) + bytes }
            #expect(throws: RecordDamage.self) { try RecordFile(parsing: bytes) }
        }
    }

    @Test(
        "numbers that fit nothing are damage",
        arguments: [
            "swiftlet-record 1 99999999999 b 0 00000000\n", "swiftlet-record 1 1 b -1 00000000\n",
            "swiftlet-record 1 1 b 99999999999999999999 0\n",
            "swiftlet-record 2 1 b 0 00000000\n", "swiftlet-record  1 1 b 0 00000000\n",
        ])
    func numbers(text: String) {
        #expect(throws: RecordDamage.self) { try RecordFile(parsing: Array(text.utf8)) }
    }
}
