import LaunchProtocol
import TestKit
import Testing

/// Any bytes give a value or a `WireError`. A trap would end the test process; a wrong error type would fail the test.
@Suite struct TotalDecodeTests {
    private func decodeAll(_ bytes: Bytes) {
        do { _ = try Frame.decodeRequest(bytes) } catch { _ = error as WireError }
        do { _ = try Frame.decodeReply(bytes) } catch { _ = error as WireError }
        do { _ = try Frame.decodeBirthFailure(bytes) } catch { _ = error as WireError }
        do { _ = try PlanCoder.decode(bytes) } catch { _ = error as WireError }
        do { _ = try ExitFile.decode(bytes) } catch { _ = error as WireError }
    }

    private func encodings(_ random: inout RandomValues) throws -> [Bytes] {
        var all = try random.requests().map { try Frame.encode($0, id: 7) }
        all += try random.replies().map { try Frame.encode($0, id: 7) }
        all += try random.plans().map { try PlanCoder.encode($0) }
        all.append(try Frame.encode(random.birthFailure()))
        all.append(try ExitFile.encode(random.exitRecord()))
        return all
    }

    @Test func randomBytes() {
        var generator = SeededGenerator.announced("random bytes")
        let magics = [Wire.frameMagic, Wire.planMagic, Wire.exitMagic]
        for round in 0..<20_000 {
            var bytes = generator.bytes(countMax: 200)
            if round % 2 == 0 {
                let magic = generator.pick(magics)
                bytes.insert(contentsOf: (0..<4).map { UInt8(truncatingIfNeeded: magic >> ($0 * 8)) } + [1, 0], at: 0)
            }
            decodeAll(bytes)
        }
    }

    @Test func mutatedBytes() throws {
        var random = RandomValues(generator: .announced("mutated bytes"))
        for _ in 0..<40 {
            for original in try encodings(&random) {
                for _ in 0..<8 {
                    var bytes = original
                    for _ in 0..<Int.random(in: 1...4, using: &random.generator) {
                        let index = Int.random(in: 0..<bytes.count, using: &random.generator)
                        bytes[index] = random.generator.pick([0, 1, 0x7f, 0x80, 0xff, random.number()])
                    }
                    decodeAll(bytes)
                }
            }
        }
    }

    @Test func everyTruncationIsAnError() throws {
        var random = RandomValues(generator: .announced("every truncation"))
        for original in try encodings(&random) {
            for length in 0..<original.count {
                let cut = Bytes(original.prefix(length))
                #expect(throws: WireError.self) { try Frame.decodeRequest(cut) }
                #expect(throws: WireError.self) { try Frame.decodeReply(cut) }
                #expect(throws: WireError.self) { try PlanCoder.decode(cut) }
                #expect(throws: WireError.self) { try ExitFile.decode(cut) }
            }
        }
    }

    @Test func everySingleBitFlipOfAnExitFileIsSeen() throws {
        var random = RandomValues(generator: SeededGenerator(seed: 3))
        let record = random.exitRecord()
        let original = try ExitFile.encode(record)
        // The version (bytes 4 and 5) may be any but 0: fields are only ever appended.
        for index in 0..<original.count where index != 4 && index != 5 {
            for bit in 0..<8 {
                var bytes = original
                bytes[index] ^= 1 << bit
                #expect(throws: WireError.self) { try ExitFile.decode(bytes) }
            }
        }
    }

    @Test func aLyingCountIsRefusedBeforeAnythingIsReserved() {
        var writer = WireWriter()
        writer.integer(UInt32(60_000))
        guard let bytes = try? writer.finish(bytesMax: 100) else { return }
        var reader = WireReader(bytes)
        #expect(throws: WireError.truncated) {
            try reader.list(countMax: 65_536, elementBytesMin: 4) { reader throws(WireError) in try reader.u32() }
        }
    }

    @Test func theChecksumIsCRC32C() {
        #expect(Wire.checksum(Bytes("123456789".utf8)) == 0xe306_9283)
    }
}
