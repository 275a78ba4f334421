import Linux

/// Writes the members of one layer below its root, in overlayfs's form: whiteouts become character devices 0:0, opaque
/// directories get the xattr `trusted.overlay.opaque` (Documentation/filesystems/overlayfs.rst).
///
/// No path is handed to the kernel in one piece from the host's root: a member's directory is opened below the layer's
/// root by openat2(2) with RESOLVE_IN_ROOT, where links of the layer itself can lead no further than the layer, and the
/// last component is made in it without following anything. One instance is used by one thread at a time.
struct LayerWriter: TarSink {
    let root: SharedFD
    let budget: UnpackBudget

    /// The directory of the last member: archives come sorted, mostly.
    private var directory: SharedFD?
    private var directoryPath: LayerPath?

    /// The regular file whose content is arriving.
    private var file: SharedFD?
    private var entry: TarEntry?

    /// Directories that were needed but had no member of their own (yet); some may be gone again.
    private(set) var implied: Set<LayerPath> = [.root]
    var isRootOpaque = false
    var usage = LayerUsage()
    /// Set at the end: a directory's time changes with each file made in it.
    private var directoryTimes: [(path: LayerPath, seconds: Int64, nanoseconds: Int64)] = []

    /// Beyond this many directories, times are set in batches, and a directory that gets files later loses its own.
    private static let directoryTimesMax = 50_000
    private static let impliedMax = 100_000

    init(root: SharedFD, budget: UnpackBudget) {
        self.root = root
        self.budget = budget
    }

    mutating func begin(_ entry: TarEntry) throws(ImageStoreError) {
        let path = try LayerPath(entry.path)
        switch try Whiteout(path) {
        case .ignored: return
        case .opaque: try hideLower(path.parent)
        case .removal(let name): try remove(lower: Path(name), in: path.parent)
        case .none: try path.isRoot ? makeRoot(entry) : make(entry, at: path)
        }
    }

    mutating func content(_ bytes: ArraySlice<UInt8>) throws(ImageStoreError) {
        guard let file, let entry else { return }
        try Self.attempt("write", entry.path) { () throws(Errno) in try file.fd.writeAll(bytes) }
    }

    mutating func end() throws(ImageStoreError) {
        guard let file, let entry else { return }
        self.file = nil
        self.entry = nil
        usage.addContent(entry.size)
        try Self.attempt("write", entry.path) { () throws(Errno) in
            try Self.setOwnerModeAttributes(file.fd, entry)
            try file.fd.changeTimes(seconds: entry.modifiedSeconds, nanoseconds: entry.modifiedNanoseconds)
        }
    }

    /// Sets what could not be set before all members were there.
    mutating func finish() throws(ImageStoreError) {
        directory = nil
        try setDirectoryTimes()
    }
}

// MARK: - Members

extension LayerWriter {
    private mutating func makeRoot(_ entry: TarEntry) throws(ImageStoreError) {
        guard entry.kind == .directory else { throw .invalidImage("unpack layer: its root is not a directory") }
        implied.remove(.root)
        let root = root
        try Self.attempt("unpack", entry.path) { () throws(Errno) in
            try Self.setOwnerModeAttributes(root.fd, entry)
        }
        try rememberTimes(of: .root, entry)
    }

    private mutating func make(_ entry: TarEntry, at path: LayerPath) throws(ImageStoreError) {
        let directory = try open(path.parent)
        let name = Path(path.name)
        let existing = try Self.attempt("unpack", entry.path) { () throws(Errno) in try directory.fd.existing(name) }

        if entry.kind == .directory {
            return try makeDirectory(entry, name, at: path, in: directory, existing: existing)
        }
        if existing != nil { try clear(name, in: directory, path: path) }
        try budget.addInode()
        usage.addInode()
        switch entry.kind {
        case .directory: break
        case .regular:
            file = try Self.attempt("unpack", entry.path) { () throws(Errno) in
                SharedFD(try directory.fd.open(name, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600))
            }
            self.entry = entry
        case .symlink(let target):
            guard (1...4095).contains(target.count), !target.contains(0) else {
                throw .invalidImage(
                    "unpack layer: the link \"\(printable(entry.path))\" has no target that a link can have")
            }
            try Self.attempt("unpack", entry.path) { () throws(Errno) in
                try directory.fd.makeSymlink(name, text: Path(target))
                try directory.fd.changeOwner(name, uid: entry.uid, gid: entry.gid)
                try directory.fd.changeTimes(
                    name, seconds: entry.modifiedSeconds, nanoseconds: entry.modifiedNanoseconds)
            }
        case .hardlink(let target):
            try makeHardlink(entry, name, in: directory, to: target)
        case .fifo:
            try makeNode(entry, name, in: directory, kind: .fifo, major: 0, minor: 0)
        case .characterDevice(let major, let minor):
            guard major != 0 || minor != 0 else {
                throw .invalidImage(
                    "unpack layer: the device \"\(printable(entry.path))\" is 0:0, which is overlayfs's own mark")
            }
            try makeNode(entry, name, in: directory, kind: .characterDevice, major: major, minor: minor)
        case .blockDevice(let major, let minor):
            try makeNode(entry, name, in: directory, kind: .blockDevice, major: major, minor: minor)
        }
    }

    private mutating func makeDirectory(
        _ entry: TarEntry, _ name: Path, at path: LayerPath, in directory: SharedFD, existing: FileStatus?
    ) throws(ImageStoreError) {
        let hidesLower = existing?.isWhiteout ?? false
        if existing?.kind != .directory {
            if existing != nil { try clear(name, in: directory, path: path) }
            try budget.addInode()
            usage.addInode(isDirectory: true)
        }
        try Self.attempt("unpack", entry.path) { () throws(Errno) in
            if existing?.kind != .directory { try directory.fd.makeDirectory(name, mode: 0o700) }
            let made = try directory.fd.open(name, [.readOnly, .directory, .noFollow])
            try Self.setOwnerModeAttributes(made, entry)
            if hidesLower { try made.setAttribute(Overlay.opaqueAttribute, Overlay.yes) }
        }
        implied.remove(path)
        try rememberTimes(of: path, entry)
    }

    /// Makes a second name of what the same layer already has; the entry's own metadata is not applied
    /// (CVE-2021-32760).
    private func makeHardlink(
        _ entry: TarEntry, _ name: Path, in directory: SharedFD, to target: [UInt8]
    ) throws(ImageStoreError) {
        func refused(_ what: String) -> ImageStoreError {
            .invalidImage(
                "unpack layer: the hard link \"\(printable(entry.path))\" to \"\(printable(target))\" \(what)")
        }
        let targetPath = try LayerPath(target)
        guard !targetPath.isRoot else { throw refused("has a directory for a target") }
        let root = root
        do throws(Errno) {
            // No link on the way: where a link leads is no place in the archive.
            let parent =
                targetPath.parent.isRoot ? nil : try root.fd.openDirectory(targetPath.parent, followingLinks: false)
            let found = parent ?? root
            let status = try found.fd.status(Path(targetPath.name))
            guard status.kind != .directory, !status.isWhiteout else { throw .notPermitted }
            try directory.fd.makeLink(name, to: Path(targetPath.name), in: found.fd)
        } catch {
            switch error {
            case .noEntry, .notDirectory: throw refused("has a target that is not in the layer")
            case .tooManyLinks: throw refused("has a target behind a symbolic link")
            case .notPermitted: throw refused("has a target that cannot be linked to")
            default: throw ImageStoreError("unpack", printable(entry.path), error)
            }
        }
    }

    private func makeNode(
        _ entry: TarEntry, _ name: Path, in directory: SharedFD, kind: NodeKind, major: UInt32, minor: UInt32
    ) throws(ImageStoreError) {
        guard major < 4096, minor < 1 << 20 else {
            throw .invalidImage("unpack layer: the device \"\(printable(entry.path))\" has numbers out of range")
        }
        try Self.attempt("unpack", entry.path) { () throws(Errno) in
            try directory.fd.makeNode(name, kind: kind, mode: 0, major: major, minor: minor)
            try directory.fd.changeOwner(name, uid: entry.uid, gid: entry.gid)
            // The name was made just now, and nobody else writes here: it is no link.
            try directory.fd.changeMode(name, entry.mode)
            try directory.fd.changeTimes(name, seconds: entry.modifiedSeconds, nanoseconds: entry.modifiedNanoseconds)
        }
    }

    /// Owner, mode, then attributes: chown(2) drops set-id bits and file capabilities, so that they come after it.
    private static func setOwnerModeAttributes(_ made: borrowing OwnedFD, _ entry: TarEntry) throws(Errno) {
        try made.changeOwner(uid: entry.uid, gid: entry.gid)
        try made.changeMode(entry.mode)
        for attribute in entry.attributes where LayerAttribute.isAllowed(attribute.name) {
            try LayerAttribute.set(attribute.name, attribute.value, on: made)
        }
    }
}

// MARK: - Directories

extension LayerWriter {
    /// The directory of this path, made if the archive has not brought it.
    mutating func open(_ path: LayerPath) throws(ImageStoreError) -> SharedFD {
        if path.isRoot { return root }
        if let directory, directoryPath == path { return directory }
        let found = try opened(path)
        directory = found
        directoryPath = path
        return found
    }

    private mutating func opened(_ path: LayerPath) throws(ImageStoreError) -> SharedFD {
        let root = root
        let known = try Self.attempt("unpack", path.bytes) { () throws(Errno) in try root.fd.existingDirectory(path) }
        if let known { return known }
        var parent = root
        for step in path.ancestry {
            let name = Path(step.name)
            let found = try Self.attempt("unpack", step.bytes) { () throws(Errno) in try root.fd.existingDirectory(step)
            }
            if let found {
                parent = found
                continue
            }
            try budget.addInode()
            usage.addInode(isDirectory: true)
            implied.insert(step)
            guard implied.count <= Self.impliedMax else {
                throw .limitExceeded(
                    "unpack layer: more than \(Self.impliedMax) directories have no member of their own")
            }
            let container = parent
            parent = try Self.attempt("unpack", step.bytes) { () throws(Errno) in
                // A link to nowhere or a file is in the way: EEXIST.
                try container.fd.makeDirectory(name, mode: 0o755)
                let made = SharedFD(try container.fd.open(name, [.readOnly, .directory, .noFollow]))
                try made.fd.changeMode(0o755)
                return made
            }
        }
        return parent
    }

    /// Removes what the same layer put there before: the last member of a name counts.
    private mutating func clear(_ name: Path, in directory: SharedFD, path: LayerPath) throws(ImageStoreError) {
        self.directory = nil
        directoryPath = nil
        try Self.attempt("unpack", path.bytes) { () throws(Errno) in try directory.fd.removeTree(name) }
    }

    private mutating func rememberTimes(of path: LayerPath, _ entry: TarEntry) throws(ImageStoreError) {
        directoryTimes.append((path, entry.modifiedSeconds, entry.modifiedNanoseconds))
        if directoryTimes.count >= Self.directoryTimesMax { try setDirectoryTimes() }
    }

    private mutating func setDirectoryTimes() throws(ImageStoreError) {
        let root = root
        for (path, seconds, nanoseconds) in directoryTimes {
            try Self.attempt("unpack", path.bytes) { () throws(Errno) in
                if path.isRoot { return try root.fd.changeTimes(seconds: seconds, nanoseconds: nanoseconds) }
                // A later member may have taken its place.
                guard let directory = try root.fd.existingDirectory(path) else { return }
                try directory.fd.changeTimes(seconds: seconds, nanoseconds: nanoseconds)
            }
        }
        directoryTimes = []
    }

    static func attempt<T>(
        _ operation: String, _ path: [UInt8], _ body: () throws(Errno) -> T
    ) throws(ImageStoreError) -> T {
        do throws(Errno) {
            return try body()
        } catch {
            switch error {
            case .alreadyExists, .notDirectory, .tooManyLinks:
                throw .invalidImage(
                    "unpack layer: \"\(printable(path))\" is in or behind what is not a directory of the layer")
            default: throw ImageStoreError(operation, printable(path), error)
            }
        }
    }
}
