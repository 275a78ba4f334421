import Foundation
import Model
import Streaming
import Testing

extension StreamingTests {
    @Suite struct TransferTests {
        /// 256 MiB in blocks that differ.
        private static let blocks = 1024
        private static let block = (0..<262_144).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        private static let sum = Checksum(block, times: blocks)

        @Test func outputAtAnyLengthWithBoundedMemory() async throws {
            try await Fixture.run { fixture in
                let client = try await SPDYClient(try fixture.execURL(.output), ["v4.channel.k8s.io"])
                let streams = try await client.open(StreamChoice.output.types())
                let process = await fixture.target.session()
                let memory = try residentBytes()
                for number in 0..<Self.blocks {
                    await process.stdout.write(Self.block)
                    if number % 128 == 0 { #expect(try residentBytes() - memory < 32 << 20) }
                }
                process.end(0)
                let content = await streams["stdout"]?.log.whole()
                #expect(content?.count == Self.blocks * Self.block.count && content?.sum == Self.sum)
                await client.closed()
            }
        }

        @Test func inputAtAnyLengthWithBoundedMemory() async throws {
            try await Fixture.run { fixture in
                let client = try await SPDYClient(try fixture.execURL(.all), ["v4.channel.k8s.io"])
                let streams = try await client.open(StreamChoice.all.types())
                let process = await fixture.target.session()
                let memory = try residentBytes()
                async let reading: Checksum = {
                    var sum = Checksum()
                    for _ in 0..<256 { sum.add(await process.stdin.read(1 << 20)) }
                    return sum
                }()
                for number in 0..<Self.blocks {
                    try await streams["stdin"]?.writeAndWait(Self.block)
                    if number % 128 == 0 { #expect(try residentBytes() - memory < 32 << 20) }
                }
                streams["stdin"]?.finish()
                #expect(await reading == Self.sum)
                #expect(await process.stdin.read(1).isEmpty)
                process.end(0)
                _ = await streams["error"]?.log.whole()
                await client.closed()
            }
        }
    }
}

@_silgen_name("malloc_trim") private func trimMemory(_ padding: Int) -> Int32

/// What this process holds in memory: VmRSS of proc(5), without what the allocator keeps for later.
func residentBytes() throws -> Int {
    _ = trimMemory(0)
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
    return try #require(line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }) * 1024
}
