import Foundation

/// The node that the program runs on.
struct ThisNode: NodePort {
    private static let bytesMax = 1 << 20

    func text(_ path: String) -> String? {
        // What stands in the way is the finding of the check that asks.
        do {
            let file = try FileHandle(forReadingFrom: URL(filePath: path))
            let data = try file.read(upToCount: Self.bytesMax)
            try file.close()
            return String(decoding: data ?? Data(), as: UTF8.self)
        } catch { return nil }
    }

    func names(_ directory: String) -> [String]? {
        do { return try FileManager.default.contentsOfDirectory(atPath: directory).sorted() } catch { return nil }
    }

    func link(_ path: String) -> String? {
        do { return try FileManager.default.destinationOfSymbolicLink(atPath: path) } catch { return nil }
    }

    func kind(_ path: String) -> NodeFileKind? {
        do {
            let real = URL(filePath: path).resolvingSymlinksInPath().path
            switch try FileManager.default.attributesOfItem(atPath: real)[.type] as? FileAttributeType {
            case .typeDirectory: return .directory
            case .typeSocket: return .socket
            case .typeRegular: return .file(executable: FileManager.default.isExecutableFile(atPath: real))
            default: return .other
            }
        } catch { return nil }
    }

    func access(_ path: String) -> NodeAccess? {
        do {
            let real = URL(filePath: path).resolvingSymlinksInPath().path
            let values = try FileManager.default.attributesOfItem(atPath: real)
            func number(_ key: FileAttributeKey) -> UInt32? { (values[key] as? NSNumber)?.uint32Value }
            guard let user = number(.ownerAccountID), let mode = number(.posixPermissions) else { return nil }
            return NodeAccess(user: user, mode: mode)
        } catch { return nil }
    }

    func room(_ path: String) -> NodeRoom? {
        do {
            let values = try FileManager.default.attributesOfFileSystem(forPath: path)
            func number(_ key: FileAttributeKey) -> UInt64 { (values[key] as? NSNumber)?.uint64Value ?? 0 }
            return NodeRoom(
                bytes: number(.systemSize), freeBytes: number(.systemFreeSize), inodes: number(.systemNodes),
                freeInodes: number(.systemFreeNodes))
        } catch { return nil }
    }
}
