import Linux
import Model

/// The files of an image as its containers will see them, without a container: a detached, read-only overlay of its
/// layers, in no mount namespace, gone with its last reference. Nothing of the image is executed, and no device of it
/// is opened.
///
/// Every name is resolved by the kernel with the image's root as the root (RESOLVE_IN_ROOT), so that links lead nowhere
/// else.
package final class ImageView: Sendable {
    private let mount: MountHandle
    private let image: Digest

    /// What any file that is read from an image may have (CVE-2026-47262).
    package static let fileBytesMax = 10 << 20

    /// - Parameter layers: lowest first.
    init(_ layers: [String], of image: Digest, in directories: StoreDirectories) throws(ImageStoreError) {
        self.image = image
        do throws(Errno) {
            mount = try Self.mount(layers, directories)
        } catch {
            throw ImageStoreError("mount a view of image", image.description, error)
        }
    }

    private static func mount(_ layers: [String], _ directories: StoreDirectories) throws(Errno) -> MountHandle {
        let flags: MountFlags = [.readOnly, .noSetuid, .noDevices, .noExecute]
        let own = layers.filter { $0 != StoreDirectories.emptyLayer }
        guard !own.isEmpty else {
            let empty = try directories.layers.fd.open(
                Path(StoreDirectories.emptyLayer), [.path, .directory, .noFollow])
            let clone = try MountHandle.clone(of: empty, recursive: false)
            try clone.set(flags, recursive: false)
            return clone
        }
        // Overlayfs without an upper directory wants two lower ones, and not one twice.
        let lower = own.count > 1 ? own : [StoreDirectories.emptyLayer] + own
        do throws(Errno) {
            let context = try FilesystemContext(type: "overlay")
            // Through the descriptor: short whatever the store's path is, and resolved in no directory that may change.
            for name in lower.reversed() {
                try context.set("lowerdir+", directories.layers.fd.processPath.appending(Path(name)))
            }
            return try context.mount(flags)
        } catch {
            guard error == .invalidArgument else { throw error }
        }
        return try mountBeforeLowerdirPlus(lower, directories, flags)
    }

    /// Before Linux 6.5.
    static func mountBeforeLowerdirPlus(
        _ lower: [String], _ directories: StoreDirectories, _ flags: MountFlags
    ) throws(Errno) -> MountHandle {
        try MountHandle.overlay(of: lower.reversed().map { Path($0) }, below: directories.layers.fd, flags)
    }

    /// The content of a regular file; nil where the path leads to nothing.
    package func readFile(_ path: String, bytesMax: Int = ImageView.fileBytesMax) throws(ImageStoreError) -> [UInt8]? {
        let place: OwnedFD
        do throws(Errno) {
            // A handle first: what it stands for is looked at before anything is opened.
            place = try mount.fd.open(Path(path), [.path], resolve: [.inRoot, .noMagicLinks])
        } catch {
            switch error {
            case .noEntry, .notDirectory: return nil
            default: throw failed("read", path, error)
            }
        }
        let status: FileStatus
        do throws(Errno) { status = try place.status() } catch { throw failed("read", path, error) }
        guard status.kind == .regular else {
            throw .invalidImage("read \"\(path)\" of image \(image): it is not a regular file")
        }
        guard status.size <= UInt64(bytesMax) else { throw tooLarge(path, bytesMax) }
        do throws(Errno) {
            return try place.reopen([.readOnly, .nonBlocking]).readToEnd(max: bytesMax)
        } catch {
            throw error == .fileTooLarge ? tooLarge(path, bytesMax) : failed("read", path, error)
        }
    }

    /// A directory of the image; nil where the path leads to nothing, or to something else.
    func openDirectory(_ path: String) throws(ImageStoreError) -> SharedFD? {
        do throws(Errno) {
            return SharedFD(try mount.fd.open(Path(path), [.readOnly, .directory], resolve: [.inRoot, .noMagicLinks]))
        } catch {
            switch error {
            case .noEntry, .notDirectory: return nil
            default: throw failed("open", path, error)
            }
        }
    }

    private func tooLarge(_ path: String, _ bytesMax: Int) -> ImageStoreError {
        .limitExceeded("read \"\(path)\" of image \(image): it is larger than \(bytesMax) bytes")
    }

    private func failed(_ operation: String, _ path: String, _ error: Errno) -> ImageStoreError {
        if error == .tooManyLinks {
            return .invalidImage("\(operation) \"\(path)\" of image \(image): its links go in a circle")
        }
        return ImageStoreError("\(operation) of image \(image)", path, error)
    }
}
