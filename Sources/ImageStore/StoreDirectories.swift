import Linux
import Model
import Synchronization

/// The store's directories, all 0700 and opened once:
///
///     images/<hex>       records of images
///     layers/<n>         unpacked layers; 0 is empty and belongs to nobody
///     records/<n>        records of layers; records/<n>.implied lists their directories without members of their own
///     blobs/<alg>-<hex>  manifests, indexes and configurations
///     tmp/               what is being made or removed; emptied at start
///
/// A layer or blob comes into being by rename(2) from tmp, and counts from the moment its record is there.
final class StoreDirectories: Sendable {
    let path: String
    let images: SharedFD
    let layers: SharedFD
    let records: SharedFD
    let blobs: SharedFD
    let temporary: SharedFD
    private let serial = Mutex<UInt64>(0)

    static let emptyLayer = "0"

    /// Makes what is missing below `path`, whose parent exists. Keeping a second daemon out is the caller's duty.
    init(path: String) throws(ImageStoreError) {
        self.path = path
        do throws(Errno) {
            let here = try OwnedFD.open("/", [.path, .directory])
            do throws(Errno) { try here.makeDirectory(Path(path), mode: 0o700) } catch Errno.alreadyExists {}
            let root = SharedFD(try OwnedFD.open(Path(path), [.readOnly, .directory]))
            try root.fd.changeMode(0o700)
            images = try Self.directory("images", in: root)
            layers = try Self.directory("layers", in: root)
            records = try Self.directory("records", in: root)
            blobs = try Self.directory("blobs", in: root)
            temporary = try Self.directory("tmp", in: root)
            do throws(Errno) { try layers.fd.makeDirectory(Path(Self.emptyLayer), mode: 0o755) } catch Errno
                .alreadyExists
            {}
        } catch {
            throw ImageStoreError("open image store", path, error)
        }
    }

    private static func directory(_ name: Path, in root: SharedFD) throws(Errno) -> SharedFD {
        do throws(Errno) { try root.fd.makeDirectory(name, mode: 0o700) } catch Errno.alreadyExists {}
        let made = SharedFD(try root.fd.open(name, [.readOnly, .directory, .noFollow]))
        try made.fd.changeMode(0o700)
        return made
    }

    /// A name in tmp that nothing has.
    func temporaryName() -> Path {
        Path(
            serial.withLock { serial in
                serial += 1
                return String(serial)
            })
    }

    /// A new empty directory in tmp.
    func makeTemporaryDirectory() throws(ImageStoreError) -> (name: Path, root: SharedFD) {
        let name = temporaryName()
        do throws(Errno) {
            try temporary.fd.makeDirectory(name, mode: 0o755)
            let root = SharedFD(try temporary.fd.open(name, [.readOnly, .directory, .noFollow]))
            try root.fd.changeMode(0o755)
            return (name, root)
        } catch {
            throw ImageStoreError("make directory in", "\(path)/tmp", error)
        }
    }

    /// Runs `body` with a new directory of tmp, which is removed afterwards unless `body` says that it was taken.
    func withTemporaryDirectory(
        on pool: BlockingPool, _ body: (_ name: Path, _ root: SharedFD) async throws -> Bool
    ) async throws {
        let (name, root) = try await pool.run { try self.makeTemporaryDirectory() }
        do {
            if try await !body(name, root) { try await pool.run { try self.removeTemporary(name) } }
        } catch {
            // The first error counts; what is left is removed at the next start.
            do { try await pool.run { try self.removeTemporary(name) } } catch let second { _ = second }
            throw error
        }
    }

    /// Removes a tree or file from tmp.
    func removeTemporary(_ name: Path) throws(ImageStoreError) {
        do throws(Errno) { try temporary.fd.removeTree(name) } catch {
            throw ImageStoreError("remove", "\(path)/tmp/\(name)", error)
        }
    }

    /// Empties tmp.
    func removeAllTemporary() throws(ImageStoreError) {
        do throws(Errno) {
            for entry in try temporary.fd.entries(max: 1_000_000) { try temporary.fd.removeTree(Path(entry.name)) }
        } catch {
            throw ImageStoreError("empty", "\(path)/tmp", error)
        }
    }

    // MARK: Blobs

    static func name(of blob: Digest) -> Path { Path("\(blob.algorithm.rawValue)-\(blob.hex)") }

    /// Keeps a verified document.
    func write(_ bytes: [UInt8], as digest: Digest) throws(ImageStoreError) {
        let name = temporaryName()
        do throws(Errno) {
            try temporary.fd.replaceFile(name, bytes)
            try temporary.fd.rename(name, to: Self.name(of: digest), in: blobs.fd)
        } catch {
            bestEffort { () throws(Errno) in try temporary.fd.unlink(name) }
            throw ImageStoreError("write blob in", "\(path)/blobs", error)
        }
    }

    /// A document, verified again; nil where it is missing or damaged.
    func read(_ digest: Digest, bytesMax: Int) throws(ImageStoreError) -> [UInt8]? {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try blobs.fd.readFile(Self.name(of: digest), max: bytesMax)
        } catch {
            switch error {
            case .noEntry, .fileTooLarge, .invalidArgument, .isDirectory, .tooManyLinks: return nil
            default: throw ImageStoreError("read blob in", "\(path)/blobs", error)
            }
        }
        return ContentHash.of(bytes, digest.algorithm) == digest ? bytes : nil
    }
}

/// Tidying up whose failure changes nothing: what is left is removed at the next start.
func bestEffort(_ body: () throws(Errno) -> Void) {
    do throws(Errno) { try body() } catch { _ = error }
}
