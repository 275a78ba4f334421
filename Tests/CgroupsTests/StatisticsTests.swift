@testable import Cgroups
import TestKit
import Testing

@Suite("statistics files")
struct StatisticsTests {
    @Test("cpu.stat with and without the controller")
    func cpu() throws {
        let base = "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\n"
        let bare = try #require(CgroupStatistics.CPU(base))
        #expect(bare.usageNanoseconds == 2_500_000_000)
        #expect(bare.periods == nil)
        let full = try #require(
            CgroupStatistics.CPU(base + "nr_periods 7\nnr_throttled 3\nthrottled_usec 11\nnew_key 9\n"))
        #expect(full.periods == 7 && full.throttledPeriods == 3 && full.throttledMicroseconds == 11)
        #expect(CgroupStatistics.CPU("usage_usec 1\nuser_usec x\n") == nil)
        #expect(CgroupStatistics.CPU("") == nil)
    }

    @Test("working set and room as the kubelet computes them")
    func memory() throws {
        let stat =
            "anon 300\nfile 500\nkernel 20\nkernel_stack 7\nfile_mapped 5\nactive_file 100\ninactive_file 400\npgfault 9\npgmajfault 2\n"
        let memory = try #require(CgroupStatistics.Memory(current: "1000\n", limit: "1500\n", stat: stat))
        #expect(memory.workingSetBytes == 600)
        #expect(memory.availableBytes == 900)
        #expect((memory.anonBytes, memory.fileBytes, memory.kernelBytes, memory.fileMappedBytes) == (300, 500, 20, 5))
        #expect((memory.pageFaults, memory.majorPageFaults) == (9, 2))
        let tiny = try #require(CgroupStatistics.Memory(current: "100", limit: "max", stat: stat))
        #expect(tiny.workingSetBytes == 0)
        #expect(tiny.availableBytes == nil)
        let over = try #require(CgroupStatistics.Memory(current: "900", limit: "100", stat: ""))
        #expect(over.availableBytes == 0)
        #expect(CgroupStatistics.Memory(current: "max", limit: "max", stat: "") == nil)
    }

    @Test(
        "limits above 2^62 mean none",
        arguments: [
            ("max\n", nil), ("0\n", 0), ("4611686018427387904", 4_611_686_018_427_387_904),
            ("9223372036854771712", nil),
        ] as [(String, UInt64?)])
    func limits(text: String, value: UInt64?) {
        #expect(KeyedText.limit(text)?.value == value)
    }

    @Test("memory.events gives the number of OOM kills")
    func events() {
        let events = CgroupStatistics.MemoryEvents(
            "low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\noom_group_kill 6\nsock_throttled 0\n")
        #expect(
            (events.low, events.high, events.max, events.oom, events.oomKill, events.oomGroupKill) == (1, 2, 3, 4, 5, 6)
        )
        #expect(CgroupStatistics.MemoryEvents("") == CgroupStatistics.MemoryEvents())
    }

    @Test("io.stat by device, with devices that have had no traffic")
    func io() {
        let text =
            "8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0\n7:0 \nnonsense rbytes=1\n8:0 rbytes=x wios=4\n"
        #expect(
            CgroupStatistics.DeviceIO.lines(text) == [
                .init(major: 8, minor: 16, readBytes: 1_459_200, writtenBytes: 314_773_504, reads: 192, writes: 353),
                .init(major: 7, minor: 0, readBytes: 0, writtenBytes: 0, reads: 0, writes: 0),
                .init(major: 8, minor: 0, readBytes: 0, writtenBytes: 0, reads: 0, writes: 4),
            ])
    }

    @Test("pressure with and without the full line")
    func pressure() throws {
        let some = "some avg10=1.50 avg60=0.25 avg300=0.00 total=1234\n"
        let only = try #require(CgroupStatistics.Pressure(some))
        #expect(only.some == .init(average10: 1.5, average60: 0.25, average300: 0, totalMicroseconds: 1234))
        #expect(only.full == nil)
        #expect(
            try #require(CgroupStatistics.Pressure(some + "full avg10=0 avg60=0 avg300=0 total=5\n")).full?
                .totalMicroseconds == 5)
        for text in [
            "", "full avg10=0 avg60=0 avg300=0 total=5", "some avg10=nan avg60=0 avg300=0 total=1", "some total=1",
        ] {
            #expect(CgroupStatistics.Pressure(text) == nil)
        }
    }

    @Test("the parsers take any bytes")
    func total() {
        var generator = SeededGenerator(seed: 20)
        let alphabet = Array("some full avg10=0.1 total=9 8:0 rbytes=1\n\n= :max\u{0}\u{e9}")
        for _ in 0..<2000 {
            let text = String(
                (0..<Int.random(in: 0...80, using: &generator)).map { _ in
                    alphabet.randomElement(using: &generator) ?? " "
                })
            _ = CgroupStatistics.Pressure(text)
            _ = CgroupStatistics.DeviceIO.lines(text)
            _ = KeyedText.flat(text)
            _ = KeyedText.limit(text)
            _ = CgroupStatistics.CPU(text)
        }
    }
}
