import CLICore
import CRIProto
import FoundationEssentials
import SwiftProtobuf
import Synchronization

/// A runtime that is measured, and what was measured of it.
final class Subject: Sendable {
    let connection: CRIConnection
    let settings: Settings
    let runtimeName: String
    let runtimeVersion: String
    private let interruption: Interruption
    private let book = Mutex(SampleBook())

    /// What belongs to one of the two runtimes.
    struct Settings: Sendable {
        var endpoint: Endpoint
        var handler: String
        var image: String
        var pluginLog: String?
        var memory: MemoryTargets
    }

    private init(
        connection: CRIConnection, settings: Settings, version: Runtime_V1_VersionResponse, interruption: Interruption
    ) {
        self.connection = connection
        self.settings = settings
        self.interruption = interruption
        runtimeName = version.runtimeName
        runtimeVersion = version.runtimeVersion
    }

    /// Connects to a runtime.
    static func open(_ settings: Settings, interruption: Interruption) async throws -> Subject {
        let connection = try await CRIConnection.open(settings.endpoint)
        do {
            let version = try await connection.call(
                CRIMethods.version, .init(), within: .seconds(10), to: "ask \(settings.endpoint) for its version")
            return Subject(connection: connection, settings: settings, version: version, interruption: interruption)
        } catch {
            await connection.close()
            throw error
        }
    }

    var samples: SampleBook { book.withLock { $0 } }

    func record(_ value: Double, _ name: String, unit: String = "ms") {
        book.withLock { $0.add(value, to: name, unit: unit) }
    }

    /// Calls a method without measuring.
    func call<Request: SwiftProtobuf.Message, Response: SwiftProtobuf.Message>(
        _ method: CRIMethod<Request, Response>, _ request: Request
    ) async throws -> Response {
        try interruption.check()
        return try await connection.call(
            method, request, within: .seconds(300), to: "\(runtimeName) \(method.name)")
    }

    /// Calls a method, notes how long it took under its name, and returns that too.
    func measure<Request: SwiftProtobuf.Message, Response: SwiftProtobuf.Message>(
        _ method: CRIMethod<Request, Response>, _ request: Request, as name: String? = nil
    ) async throws -> (response: Response, milliseconds: Double) {
        try interruption.check()
        let start = ContinuousClock.now
        let response = try await connection.call(
            method, request, within: .seconds(300), to: "\(runtimeName) \(method.name)")
        let milliseconds = (ContinuousClock.now - start).milliseconds
        record(milliseconds, name ?? method.name)
        return (response, milliseconds)
    }
}
