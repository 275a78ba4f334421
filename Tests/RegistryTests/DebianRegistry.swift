import Foundation
import FoundationNetworking
import NIOCore
import NIOPosix
import OCI
import Testing

/// Debian's docker-registry on a loopback port, with a store of its own; stopped and removed by `stop`.
final class DebianRegistry: Sendable {
    let port: Int
    private let directory: String
    private let process: Process
    private let authorization: String?

    var authority: String { "127.0.0.1:\(port)" }

    /// - Parameter passwordFile: lines `user:bcrypt`; with it the registry asks for a password.
    static func start(passwordFile: String? = nil, authorization: String? = nil) async throws -> DebianRegistry {
        let directory = "\(FileManager.default.temporaryDirectory.path)/debian-registry-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let port = try await freePort()
        var configuration = """
            version: 0.1
            log: { level: error }
            storage: { filesystem: { rootdirectory: \(directory)/data }, delete: { enabled: true } }
            http: { addr: "127.0.0.1:\(port)" }

            """
        if let passwordFile {
            try passwordFile.write(toFile: "\(directory)/htpasswd", atomically: true, encoding: .utf8)
            configuration += "auth: { htpasswd: { realm: here, path: \(directory)/htpasswd } }\n"
        }
        try configuration.write(toFile: "\(directory)/config.yml", atomically: true, encoding: .utf8)

        let process = Process()
        process.executableURL = URL(fileURLWithPath: try program.get())
        process.arguments = ["serve", "\(directory)/config.yml"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let registry = DebianRegistry(port: port, directory: directory, process: process, authorization: authorization)
        try await registry.untilListening()
        return registry
    }

    /// Where the program is: an installed one, or the one that the test tools download and unpack once.
    private static let program = Result<String, any Error> {
        let tool = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("rootfs-tools/registry")
        let process = Process()
        let output = Pipe()
        process.executableURL = tool
        process.arguments = ["fetch"]
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "rootfs-tools/registry fetch failed")
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private init(port: Int, directory: String, process: Process, authorization: String?) {
        self.port = port
        self.directory = directory
        self.process = process
        self.authorization = authorization
    }

    func stop() throws {
        process.terminate()
        process.waitUntilExit()
        try FileManager.default.removeItem(atPath: directory)
    }

    func push(_ blob: [UInt8], digest: String, to repository: String) async throws {
        let (_, start) = try await send("POST", "http://\(authority)/v2/\(repository)/blobs/uploads/", [])
        let location = try #require(start.value(forHTTPHeaderField: "Location"))
        let joined = location + (location.contains("?") ? "&" : "?") + "digest=\(digest)"
        let (_, end) = try await send("PUT", joined, blob, type: "application/octet-stream")
        try #require(end.statusCode == 201)
    }

    func push(manifest: [UInt8], type: String, as tag: String, to repository: String) async throws {
        let (_, response) = try await send(
            "PUT", "http://\(authority)/v2/\(repository)/manifests/\(tag)", manifest, type: type)
        try #require(response.statusCode == 201)
    }

    private func send(_ method: String, _ url: String, _ body: [UInt8], type: String? = nil) async throws -> (
        Data, HTTPURLResponse
    ) {
        var request = URLRequest(url: try #require(URL(string: url)))
        request.httpMethod = method
        if let type { request.setValue(type, forHTTPHeaderField: "Content-Type") }
        if let authorization { request.setValue(authorization, forHTTPHeaderField: "Authorization") }
        let (data, response) = try await URLSession.shared.upload(for: request, from: Data(body))
        return (data, try #require(response as? HTTPURLResponse))
    }

    private func untilListening() async throws {
        while process.isRunning {
            do {
                let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .connect(host: "127.0.0.1", port: port).get()
                return try await channel.close()
            } catch {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        Issue.record("docker-registry ended with status \(process.terminationStatus)")
    }

    private static func freePort() async throws -> Int {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(
            host: "127.0.0.1", port: 0
        ).get()
        let port = channel.localAddress?.port ?? 0
        try await channel.close()
        return port
    }
}
