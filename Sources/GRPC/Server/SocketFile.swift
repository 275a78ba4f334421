import FoundationEssentials
import Glibc
package import NIOCore
import NIOPosix

/// The file of a listening Unix socket, made with the right owner and mode. NIO removes it when the listener closes.
package enum SocketFile {
    /// NIO takes no more, whatever the system (sockaddr_un of macOS has 104 bytes, that of Linux 108).
    static let pathBytesMax = 103

    /// Makes room at the path: a socket that nobody listens on is removed, anything else is an error.
    package static func clear(_ path: String, on loop: any EventLoop) async throws(ListenError) {
        guard path.utf8.count <= pathBytesMax else { throw .pathTooLong(path) }
        guard let attributes = attributes(of: path) else { return }
        guard attributes[.type] as? FileAttributeType == .typeSocket else { throw .notASocket(path) }
        do {
            let probe = try await ClientBootstrap(group: loop).connect(unixDomainSocketPath: path).get()
            try await probe.close().get()
        } catch let error as IOError where error.errnoCode == ECONNREFUSED {
            return try remove(path)
        } catch {
            throw .failed(operation: "connect", path: path, reason: "\(error)")
        }
        throw .inUse(path)
    }

    /// Before bind: the socket's own mode is that of the file which bind makes (less the umask), see unix_bind() in the
    /// kernel.
    package static func makePrivate(_ listener: any Channel) throws {
        try Descriptor.of(listener) { fchmod($0, 0o600) }
    }

    /// After bind: gives the file its owner, then its mode, so that it is never open to more than it should.
    package static func publish(_ path: String, mode: UInt16, userID: UInt32?, groupID: UInt32?) throws(ListenError) {
        do {
            var owner: [FileAttributeKey: any Sendable] = [:]
            if let userID { owner[.ownerAccountID] = UInt(userID) }
            if let groupID { owner[.groupOwnerAccountID] = UInt(groupID) }
            if !owner.isEmpty { try FileManager.default.setAttributes(owner, ofItemAtPath: path) }
            try FileManager.default.setAttributes([.posixPermissions: UInt(mode)], ofItemAtPath: path)
        } catch {
            throw .failed(operation: "set owner and mode of", path: path, reason: "\(error)")
        }
    }

    private static func remove(_ path: String) throws(ListenError) {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw .failed(operation: "remove", path: path, reason: "\(error)")
        }
    }

    /// Nil if there is no such file; a path that cannot be examined fails later, at bind, with the reason.
    private static func attributes(of path: String) -> [FileAttributeKey: Any]? {
        do {
            return try FileManager.default.attributesOfItem(atPath: path)
        } catch {
            return nil
        }
    }
}
