import CLICore
import CRIProto
import GRPC
import Glibc
import SwiftProtobuf
import Synchronization
import Testing

@testable import swiftlet

@Suite(.timeLimit(.minutes(2))) struct TopTests {
    private static func container(
        _ name: String, at time: Int64, used: UInt64, _ change: (inout Runtime_V1_ContainerStats) -> Void = { _ in }
    ) -> Runtime_V1_ContainerStats {
        .with {
            $0.attributes.id = name + String(repeating: "f", count: 60)
            $0.attributes.metadata.name = name
            $0.cpu.timestamp = time * 1_000_000_000
            $0.cpu.usageCoreNanoSeconds.value = used
            change(&$0)
        }
    }

    private static func sample(at time: Int64) -> TopSample {
        let seconds = UInt64(time) * 1_000_000
        return TopSample(pods: [
            .with {
                $0.attributes.id = "1" + String(repeating: "e", count: 63)
                ($0.attributes.metadata.namespace, $0.attributes.metadata.name) = ("default", "quiet")
                $0.linux.process.processCount.value = 2
            },
            .with {
                $0.attributes.id = "2" + String(repeating: "e", count: 63)
                $0.attributes.metadata.name = "busy\u{1b}"
                $0.linux.cpu.timestamp = time * 1_000_000_000
                $0.linux.cpu.usageCoreNanoSeconds.value = seconds * 300
                $0.linux.io.psi.some.avg10 = 1.5
                $0.linux.containers = [
                    container("a", at: time, used: seconds * 50) {
                        $0.memory.workingSetBytes.value = 3_000_000
                        $0.memory.availableBytes.value = 1_000_000
                    },
                    container("b", at: time, used: seconds * 250) { $0.memory.workingSetBytes.value = 9_000_000 },
                ]
            },
        ])
    }

    private func rows(_ order: TopOrder, isFlat: Bool = false) -> [TopRow] {
        TopTable.rows(Self.sample(at: 2).groups(since: Self.sample(at: 1)), by: order, isFlat: isFlat)
    }

    @Test("pods stand before their containers, and what is not known is a dash")
    func table() {
        #expect(
            TopTable.lines(rows(.cpu), size: nil, isFlat: false) == [
                "NAME           CPU %  MEM  LIMIT  PIDS  CPU PSI  MEM PSI  IO PSI  ID",
                "busy?             30    -      -     -        -        -     1.5  2eeeeeeeeeeee",
                "  b               25  9MB      -     -        -        -       -  bffffffffffff",
                "  a                5  3MB    4MB     -        -        -       -  affffffffffff",
                "default/quiet      -    -      -     2        -        -       -  1eeeeeeeeeeee",
            ])
    }

    @Test("rows are sorted by what is asked for, also without pods")
    func sorting() {
        #expect(rows(.name, isFlat: true).map(\.name) == ["a", "b"])
        #expect(rows(.memory, isFlat: true).map(\.name) == ["b", "a"])
        #expect(rows(.io).map(\.name) == ["busy\u{1b}", "a", "b", "default/quiet"])
        #expect(rows(.name).map(\.name).last == "default/quiet")
        #expect(TopOrder(key: UInt8(ascii: "m")) == .memory && TopOrder(key: UInt8(ascii: "x")) == nil)
    }

    @Test("one sample has no rates, and a container that began again has none either")
    func rates() {
        #expect(Self.sample(at: 1).groups(since: nil).allSatisfy { $0.pod?.cpu == nil })
        #expect(Self.sample(at: 1).groups(since: Self.sample(at: 2)).flatMap(\.containers).allSatisfy { $0.cpu == nil })
        let overflow = TopSample(containers: [
            Self.container("c", at: 1, used: 1) {
                $0.memory.workingSetBytes.value = .max
                $0.memory.availableBytes.value = 5
            }
        ])
        #expect(overflow.groups(since: nil)[0].containers[0].limit == nil)
    }

    @Test("the table fits terminals of any size", arguments: [(1, 1), (2, 8), (3, 20), (5, 40), (24, 80), (100, 300)])
    func sizes(rows count: Int, columns: Int) {
        let many = (0..<40).map { TopRow(kind: .container, id: "id\($0)", name: String(repeating: "long-", count: $0)) }
        let lines = TopTable.lines(many, size: (count, columns), isFlat: false)
        #expect(lines.count <= max(1, count - 1))
        #expect(lines.allSatisfy { $0.count <= max(1, columns - 1) }, "\(lines)")
    }

    @Test("once is a table or JSON of two samples, whatever runtime it is")
    func once() async throws {
        try await FakeRuntime.with { runtime in
            let pod = runtime.addPod("web")
            runtime.addContainer("app", in: pod)
            let table = await runtime.swiftlet("top", "--once")
            #expect(table.status == 0 && table.out.hasPrefix("NAME"), "\(table)")
            #expect(table.out.split(separator: "\n")[1].hasPrefix("default/web     25  9MB      -     3 "), "\(table)")
            let json = await runtime.swiftlet("top", "--once", "-o", "json")
            #expect(
                json.out == """
                    {"items":[{"kind":"pod","id":"\(pod)","name":"default/web","cpuPercent":25,"memoryBytes":9000000,"processes":3}]}

                    """)
            let failure = GRPCStatus(code: .unimplemented, message: "no")
            runtime.world.state.withLock { $0.failures["ListPodSandboxStats"] = failure }
            let flat = await runtime.swiftlet("top", "--once", "-s", "memory")
            #expect(flat.status == 0 && flat.out.contains("app"), "\(flat)")
            #expect(await runtime.swiftlet("top", "--seconds", "0").status == 2)
        }
    }

    @Test("a terminal that knows no sequences is written to like a file")
    func dumb() async throws {
        try await FakeRuntime.with { runtime in
            runtime.addPod("web")
            let program = try TerminalProgram(
                ["-r", runtime.endpoint, "top", "--seconds", "1"], environment: ["TERM=dumb"])
            defer { program.end() }
            try await program.waitFor("default/web")
            kill(try program.programID(), SIGTERM)
            _ = try await program.exitStatus()
            #expect(program.isRestored && !program.shown.contains("\u{1b}"), "\(program.shown)")
        }
    }

    @Test("on a terminal keys sort and end it, and the terminal is as before", arguments: [true, false])
    func terminal(byKey: Bool) async throws {
        try await FakeRuntime.with { runtime in
            runtime.addPod("web")
            let program = try TerminalProgram(["-r", runtime.endpoint, "top"], rows: 10, columns: 60)
            defer { program.end() }
            try await program.waitFor("default/web")
            #expect(!program.isCooked)
            try program.type("m")
            try await program.waitFor("by memory")
            try program.resize(rows: 3, columns: 30)
            if byKey { try program.type("q") } else { kill(try program.programID(), SIGTERM) }
            #expect(try await program.exitStatus() == (byKey ? 0 : 143))
            #expect(program.isRestored)
        }
    }
}
