import Linux
import Model
import OCI
import Testing

@testable import ImageStore

private func file(_ name: String, _ content: String = "x") -> [UInt8] {
    TarBuilder.archive { $0.add(name, content: content) }
}

/// An archive that is some 40 kB also when it is compressed, as our own gzip only stores.
private func large(_ name: String) -> [UInt8] { file(name, String(repeating: "0123456789", count: 4000)) }

@Suite(.timeLimit(.minutes(10))) struct PullBoardTests {
    private let name = "r.example/app:v1"

    /// Pulls with a place on the board, as the daemon does.
    private static func pull(_ name: String, _ store: ImageStore, _ source: FakeSource) async throws {
        let ticket = store.board.begin(try reference(name))
        do {
            _ = try await store.pull(try reference(name), from: source, ticket: ticket)
            store.board.end(ticket)
        } catch {
            store.board.end(ticket, error: "\(error)")
            throw error
        }
    }

    @Test func `bytes are counted as they come, and the end has the layers in full`() async throws {
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        let watcher = try store.board.watch(try reference(name))
        #expect(store.board.progress(for: watcher) == [])
        let image = FakeImage([large("a"), file("b")])
        let first = image.layers[0].descriptor
        let gate = Gate()
        let source = FakeSource(image, chunkBytes: 1000) { digest, index in
            if digest == first.digest, index == 7 { try await gate.pass() }
        }
        let pull = Task { try await Self.pull(name, store, source) }
        await gate.untilReached()
        let running = try #require(store.board.progress(for: watcher).first)
        #expect(running.reference == name && running.phase == .fetching && !running.hasEnded)
        #expect(running.layers.map(\.digest) == image.layers.map(\.descriptor.digest))
        #expect(running.layers.map(\.bytesTotal) == image.layers.map(\.descriptor.size))
        #expect(running.layers[0].bytesFetched == 7000 && running.layers[0].phase == .fetching)
        gate.open()
        try await pull.value
        let ended = store.board.progress(for: watcher)
        #expect(ended.count == 1 && ended[0].phase == .done && ended[0].startedAt == running.startedAt)
        #expect(ended[0].layers.allSatisfy { $0.phase == .done && $0.bytesFetched == $0.bytesTotal })
        #expect(store.board.progress(for: watcher) == [])
        store.board.leave(watcher)
        #expect(store.board.isEmpty)
    }

    @Test func `layers that were there are present, and an image that was there is done without layers`() async throws {
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        let shared = file("shared")
        let (one, two) = (FakeImage([shared]), FakeImage([shared, file("own")]))
        try await Self.pull("r.example/one:v1", store, FakeSource(one))
        let watcher = try store.board.watch(nil)
        try await Self.pull("r.example/two:v1", store, FakeSource(two))
        try await Self.pull("r.example/two:v1", store, FakeSource(two))
        let seen = store.board.progress(for: watcher)
        #expect(seen.map { $0.layers.map(\.phase) } == [[.present, .done], []])
        #expect(seen.map(\.phase) == [.done, .done])
        #expect(seen[0].layers[0].bytesFetched == 0)
    }

    @Test func `callers that share a pull, and images that share a layer, see one count`() async throws {
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        let gate = Gate()
        let shared = large("shared")
        let (one, two) = (FakeImage([shared]), FakeImage([shared, file("own")]))
        let layer = one.layers[0].descriptor.digest
        let hold: FakeSource.Chunk = { digest, index in if digest == layer, index == 2 { try await gate.pass() } }
        let source = FakeSource(one, beforeChunk: hold)
        let watcher = try store.board.watch(nil)
        let first = Task { try await Self.pull("r.example/app:v1", store, source) }
        await gate.untilReached()
        let second = Task { try await Self.pull("r.example/app:v1", store, source) }
        while store.waiterCount(try reference("r.example/app:v1"), target: one.target.digest) < 2 { await Task.yield() }
        let third = Task { try await Self.pull("r.example/app:v2", store, FakeSource(two)) }
        var seen: [PullProgress] = []
        while seen.count < 3 || seen.contains(where: \.layers.isEmpty) {
            await Task.yield()
            seen = store.board.progress(for: watcher)
        }
        #expect(seen.map { $0.layers[0].bytesFetched } == [32768, 32768, 32768])
        #expect(Set(seen.map(\.startedAt)).count == 3)
        gate.open()
        for pull in [first, second, third] { try await pull.value }
        let ended = store.board.progress(for: watcher)
        #expect(ended.map(\.phase) == [.done, .done, .done])
        #expect(ended.allSatisfy { $0.layers.allSatisfy { $0.bytesFetched == $0.bytesTotal } })
        #expect(source.count(layer) == 1 && store.board.isEmpty)
    }

    @Test func `a pull whose layer is wrong says why and how far it came`() async throws {
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        let image = FakeImage([large("a")])
        let digest = image.layers[0].descriptor.digest
        let watcher = try store.board.watch(nil)
        // Longer than the manifest says: no more than all of it is shown as fetched.
        let source = FakeSource(image, blobs: [digest: image.layers[0].bytes + [0]])
        await #expect(throws: ImageStoreError.self) { try await Self.pull(name, store, source) }
        let seen = try #require(store.board.progress(for: watcher).first)
        guard case .failed(let error) = seen.phase else { throw Fault(.internal, "it is \(seen.phase)") }
        #expect(error.contains("verify layer"))
        #expect(seen.layers[0].bytesFetched <= seen.layers[0].bytesTotal && seen.layers[0].phase != .done)
        #expect(store.board.isEmpty)
    }

    @Test func `a layer that is begun again is counted from zero`() async throws {
        let meter = LayerMeter(digest: ContentHash.of([1]), bytesTotal: 100)
        meter.begin()
        meter.add(70)
        meter.begin()
        meter.add(50)
        #expect(meter.progress.bytesFetched == 50)
        meter.found()
        #expect(meter.progress.phase == .fetching)
        meter.set(.unpacking)
        #expect(meter.progress.bytesFetched == 100)
        #expect(LayerMeter(digest: ContentHash.of([1]), bytesTotal: -5).progress.bytesTotal == 0)
    }

    @Test func `a watcher sees its own image only, is woken, and is bounded when it never looks`() async throws {
        let board = PullBoard()
        let app = try reference("app")
        let watcher = try board.watch(app)
        let other = board.begin(try reference("other"))
        let own = board.begin(try reference("docker.io/library/app:latest"))
        #expect(board.progress(for: watcher).map(\.reference) == ["docker.io/library/app:latest"])
        board.end(other, error: "no")
        board.end(own, error: String(repeating: "é", count: 5000))
        var wakeUps = watcher.wakeUps.makeAsyncIterator()
        #expect(await wakeUps.next() != nil)
        guard case .failed(let error) = board.progress(for: watcher).first?.phase else {
            throw Fault(.internal, "no end")
        }
        #expect(error.utf8.count <= 4100)
        for _ in 0..<200 { board.end(board.begin(app)) }
        #expect(board.progress(for: watcher).count == PullWatcher.endedMax)
        board.close()
        while await wakeUps.next() != nil {}
        #expect(watcher.isOver)
        #expect(throws: Fault.self) { try board.watch(nil) }
    }

    @Test func `pulls and watchers beyond the limits run unseen and are refused`() throws {
        let board = PullBoard()
        let name = try reference("app")
        let tickets = (0..<PullBoard.pullsMax).map { _ in board.begin(name) }
        #expect(tickets.allSatisfy { $0 != nil } && board.begin(name) == nil)
        board.end(nil)
        for ticket in tickets { board.end(ticket) }
        #expect(board.begin(name) != nil)
        let watchers = try (0..<PullBoard.watchersMax).map { _ in try board.watch(nil) }
        #expect(throws: Fault.self) { try board.watch(nil) }
        board.leave(watchers[0])
        _ = try board.watch(nil)
    }
}
