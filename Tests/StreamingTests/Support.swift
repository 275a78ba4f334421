import Glibc
import Linux
import Model
import Streaming
import Testing

/// One after the other: descriptors are counted.
@Suite(.serialized) struct StreamingTests {}

/// A server, and the target behind it.
struct Fixture {
    let target = FakeTarget()
    let server: StreamingServer
    let container = ContainerID.random()
    let pod = PodID.random()

    init(_ change: (inout StreamingConfiguration) -> Void = { _ in }) async throws {
        var configuration = StreamingConfiguration()
        change(&configuration)
        server = try await StreamingServer.start(target, configuration)
    }

    /// Runs a test against a new server; afterwards no descriptor and no connection may be left.
    static func run(
        _ change: (inout StreamingConfiguration) -> Void = { _ in }, _ body: (Fixture) async throws -> Void
    ) async throws {
        try await warmUp.value
        let before = openDescriptors()
        do {
            let fixture = try await Fixture(change)
            try await body(fixture)
            await fixture.server.stop(grace: .seconds(20))
        }
        // The server's thread lets go of its own a moment after it has ended.
        let deadline = ContinuousClock.now + .seconds(10)
        while openDescriptors() > before, ContinuousClock.now < deadline { await Task.yield() }
        #expect(openDescriptors() <= before, "descriptors are left: \(descriptorNames())")
    }

    func execURL(_ choice: StreamChoice) throws -> String {
        try server.execURL(ExecStream(container: container, command: ["true"], streams: choice))
    }

    func attachURL(_ choice: StreamChoice) throws -> String {
        try server.attachURL(AttachStream(container: container, streams: choice))
    }
}

/// What the tests and the runtime below them keep for good is opened before anything is counted.
private let warmUp = Task {
    let fixture = try await Fixture()
    let client = try await SPDYClient(try fixture.execURL(.output), ["v4.channel.k8s.io"])
    await client.close()
    await fixture.server.stop(grace: .seconds(20))
}

extension StreamChoice {
    static let all = StreamChoice(stdin: true, stdout: true, stderr: true, tty: false)
    static let output = StreamChoice(stdin: false, stdout: true, stderr: false, tty: false)
    static let terminal = StreamChoice(stdin: true, stdout: true, stderr: false, tty: true)

    /// What a client opens for it, in the order of client-go.
    func types(resize: Bool = true) -> [String] {
        ["error"] + (stdin ? ["stdin"] : []) + (stdout ? ["stdout"] : []) + (stderr ? ["stderr"] : [])
            + (tty && resize ? ["resize"] : [])
    }
}

/// Descriptors of this process, without those that the tests' own pools keep.
func openDescriptors() -> Int { descriptorNames().count }

func descriptorNames() -> [String] {
    guard let directory = opendir("/proc/self/fd") else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let number = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        guard let fd = Int32(number), fd != dirfd(directory) else { continue }
        var target = [CChar](repeating: 0, count: 256)
        let count = readlink("/proc/self/fd/\(fd)", &target, target.count)
        guard count > 0 else { continue }
        names.append("\(fd) \(String(decoding: target[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self))")
    }
    return names
}
