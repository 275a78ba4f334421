import CLICore
import CRIProto
import GRPC
import SwiftletAPI
import Synchronization
import Testing

@testable import swiftlet

@Suite(.timeLimit(.minutes(2))) struct PullTests {
    /// Pulls while `says` are told; the pull ends when the client has seen all of them.
    private func pull(_ arguments: [String], isTerminal: Bool, _ says: [Swiftlet_V1_PullProgress]) async throws -> (
        status: Int32, out: String, err: String
    ) {
        let pulls = FakePulls()
        return try await FakeRuntime.with(extra: [pulls.method]) { runtime in
            let release = AsyncStream.makeStream(of: Void.self)
            runtime.world.pullGate.withLock { $0 = { for await _ in release.stream { return } } }
            async let result = runtime.swiftlet(["pull"] + arguments + ["app:1"], isTerminal: isTerminal)
            #expect(await pulls.untilWatched() == "app:1")
            for progress in says { pulls.send([progress]) }
            // The client has read all of it when it has read the end.
            pulls.end()
            await pulls.untilLeft()
            release.continuation.yield()
            return await result
        }
    }

    @Test("a terminal ends up with a line for each layer and one for all")
    func bars() async throws {
        let result = try await pull(
            [], isTerminal: true,
            [.fake(state: .pullResolving), .fake(layers: (.layerPresent, 0, 9), (.layerFetching, 3, 2_000_000))])
        #expect(result.status == 0)
        #expect(
            result.err.hasSuffix("\r\u{1b}[J000fffffffff  present\n111fffffffff  done  2MB\ntotal  2MB fetched\n"),
            "\(result.err)")
        #expect(!result.err.contains("\u{1b}[?"))
        #expect(result.out == "Image is up to date for sha256:\(String(repeating: "b", count: 64))\n")
    }

    @Test("no terminal gets lines with --progress plain, nothing else, and -q leaves only the id")
    func plain() async throws {
        let progress: [Swiftlet_V1_PullProgress] = [
            .fake(state: .pullResolving), .fake(layers: (.layerFetching, 3, 2_000_000)),
        ]
        let lines = try await pull(["--progress", "plain"], isTerminal: false, progress)
        #expect(
            lines.err == """
                docker.io/library/app:1: resolving
                docker.io/library/app:1: 1 layers of 2MB
                docker.io/library/app:1: 000fffffffff done, 2MB
                docker.io/library/app:1: done

                """)
        try await FakeRuntime.with { runtime in
            let id = "sha256:\(String(repeating: "b", count: 64))"
            #expect(await runtime.swiftlet("pull", "app:1") == (0, "Image is up to date for \(id)\n", ""))
            #expect(await runtime.swiftlet("pull", "-q", "app:1", isTerminal: true) == (0, id + "\n", ""))
            #expect(await runtime.swiftlet("pull", "--progress", "none", "app:1", isTerminal: true).err == "")
        }
    }

    @Test("a runtime that tells nothing of pulls is pulled with all the same, and its failure is the last word")
    func silent() async throws {
        try await FakeRuntime.with { runtime in
            #expect(await runtime.swiftlet("pull", "app:1", isTerminal: true).status == 0)
            runtime.world.state.withLock { $0.failures["PullImage"] = GRPCStatus(code: .notFound, message: "no\u{1b}") }
            let result = await runtime.swiftlet("pull", "--progress", "plain", "app:1", isTerminal: true)
            #expect(result.status == 1 && result.err == "swiftlet: pull \"app:1\": no?\n", "\(result.err)")
            let watch = await runtime.swiftlet("pulls")
            #expect(
                watch.status == 1 && watch.err.hasPrefix("swiftlet: watch pulls: the runtime does not support this"))
        }
    }

    @Test("pulls that others asked for are shown as lines, as JSON, or once")
    func watching() async throws {
        let pulls = FakePulls()
        try await FakeRuntime.with(extra: [pulls.method]) { runtime in
            async let result = runtime.swiftlet("pulls", "app:1")
            #expect(await pulls.untilWatched() == "app:1")
            pulls.send([.fake(state: .pullFailed, error: "why")])
            pulls.end()
            let lines = await result
            #expect(lines == (0, "docker.io/library/app:1: resolving\ndocker.io/library/app:1: failed: why\n", ""))
            #expect(await runtime.swiftlet("pulls", "--once", "-o", "json") == (0, "{}\n", ""))
        }
    }
}
