import Foundation
import GRPC
import SwiftProtobuf
import Testing

@Suite struct SocketTests {
    private func inDirectory(_ body: (String) async throws -> Void) async throws {
        let directory = try temporaryDirectory()
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: directory) } }
        try await body(directory)
    }

    private func start(_ path: String, mode: UInt16 = 0o660, userID: UInt32? = nil, groupID: UInt32? = nil) async throws
        -> GRPCServer
    {
        try await GRPCServer.start([], at: .unix(path: path, mode: mode, userID: userID, groupID: groupID))
    }

    @Test(arguments: [UInt16(0o600), 0o660, 0o666])
    func `the socket has the mode and owner asked for`(mode: UInt16) async throws {
        try await inDirectory { directory in
            let path = directory + "/s"
            let server = try await start(path, mode: mode, userID: geteuid(), groupID: 12345)
            var facts = stat()
            #expect(lstat(path, &facts) == 0)
            #expect(facts.st_mode == S_IFSOCK | UInt32(mode))
            #expect(facts.st_uid == geteuid())
            #expect(facts.st_gid == 12345)
            await server.shutdown(grace: .zero)
            #expect(lstat(path, &facts) == -1)
        }
    }

    @Test func `a socket that nobody listens on is replaced`() async throws {
        try await inDirectory { directory in
            let path = directory + "/s"
            let (descriptor, _) = boundSocket(path)
            close(descriptor)
            let server = try await start(path)
            await (try GRPCClient(unixPath: path)).close()
            await server.shutdown(grace: .zero)
        }
    }

    @Test func `a socket that someone listens on is left alone`() async throws {
        try await inDirectory { directory in
            let path = directory + "/s"
            let first = try await start(path)
            await #expect(throws: ListenError.inUse(path)) { try await start(path) }
            await (try GRPCClient(unixPath: path)).close()
            await first.shutdown(grace: .zero)
        }
    }

    @Test func `a file that is no socket is left alone`() async throws {
        try await inDirectory { directory in
            let path = directory + "/s"
            try Data("x".utf8).write(to: URL(fileURLWithPath: path))
            await #expect(throws: ListenError.notASocket(path)) { try await start(path) }
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "elsewhere")
            await #expect(throws: ListenError.notASocket(path)) { try await start(path) }
        }
    }

    @Test func `paths that cannot be sockets are errors`() async throws {
        try await inDirectory { directory in
            let long = directory + "/" + String(repeating: "x", count: 104 - directory.utf8.count - 1)
            await #expect(throws: ListenError.pathTooLong(long)) { try await start(long) }
            let longest = String(long.dropLast())
            let server = try await start(longest)
            await (try GRPCClient(unixPath: longest)).close()
            await server.shutdown(grace: .zero)
            await #expect(throws: ListenError.self) { try await start(directory + "/none/s") }
        }
    }

    @Test func `no socket survives an exec`() async throws {
        try await TestServer.withClient { server, client in
            let _: Text = try await client.unary("/test.Echo/Inline", Text())
            // The kernel's list can miss a line while other sockets come and go (seq_file); then it is read again.
            var inodes: [String] = []
            for _ in 0..<2000 where inodes.count != 2 { inodes = try server.socketInodes() }
            #expect(inodes.count == 2)
            let entries = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
            // Descriptors of other tests may come and go meanwhile: a missing link is no match.
            let ours = entries.compactMap(Int32.init).filter { descriptor in
                var link = [UInt8](repeating: 0, count: 64)
                let length = readlink("/proc/self/fd/\(descriptor)", &link, link.count)
                let target = String(decoding: link.prefix(max(length, 0)), as: UTF8.self)
                return inodes.contains { target == "socket:[\($0)]" }
            }
            #expect(ours.count == 2)
            #expect(ours.allSatisfy { fcntl($0, F_GETFD) & FD_CLOEXEC != 0 })
        }
    }

    @Test func `a bound descriptor is taken over`() async throws {
        try await inDirectory { directory in
            let path = directory + "/s"
            let (descriptor, isBound) = boundSocket(path)
            #expect(isBound)
            let server = try await GRPCServer.start([], at: .descriptor(descriptor))
            await (try GRPCClient(unixPath: path)).close()
            await server.shutdown(grace: .zero)
            // Whoever bound the socket removes it.
            #expect(FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func `a client says why it cannot connect`() async throws {
        try await inDirectory { directory in
            func reason(_ path: String) async -> ConnectError.Reason? {
                do throws(ConnectError) {
                    await (try GRPCClient(unixPath: path)).close()
                    return nil
                } catch {
                    #expect(error.description.hasPrefix("connect \"\(path)\": "))
                    return error.reason
                }
            }
            #expect(await reason(directory + "/none") == .noSuchFile)
            #expect(await reason(directory + "/none/none") == .noSuchFile)
            #expect(await reason(String(repeating: "x", count: 200)) == .pathTooLong)
            close(boundSocket(directory + "/s").0)
            #expect(await reason(directory + "/s") == .refused)
        }
    }

    /// A Unix socket bound to a path, not listening.
    private func boundSocket(_ path: String) -> (Int32, isBound: Bool) {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        return (descriptor, result == 0)
    }
}
