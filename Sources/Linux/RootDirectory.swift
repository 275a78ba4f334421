/// A root that a container's files lie below. Nothing that is done through it reaches outside, whatever links the files are:
/// every lookup is one openat2(2) with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS (CVE-2019-19921, CVE-2021-30465).
package struct RootDirectory: ~Copyable, Sendable {
    package let fd: OwnedFD

    /// Links followed in one path, as many as the kernel follows.
    private static let linksMax = 40
    /// Components made or walked for one path.
    private static let componentsMax = 256

    package init(_ fd: consuming OwnedFD) { self.fd = fd }

    /// A handle (O_PATH) on what the path shows; links are followed inside the root, the last one too.
    package func resolve(_ path: Path) throws(Errno) -> OwnedFD {
        try fd.open(path, .path, resolve: [.inRoot, .noMagicLinks])
    }

    /// As `resolve`; what is missing is made first, component by component: directories 0755, the last as `make` says.
    package func resolve(_ path: Path, making make: MissingEntry) throws(Errno) -> OwnedFD {
        do throws(Errno) { return try resolve(path) } catch  where error == .noEntry {
            let place = try walk(path, making: make)
            return try open(place)
        }
    }

    /// The directory (made with its parents where missing) that holds the last component, and that component.
    package func parent(of path: Path) throws(Errno) -> ParentDirectory {
        var components = split(path.bytes)
        guard let name = components.popLast(), !isDot(name), !isDotDot(name) else { throw .invalidArgument }
        let directory = try resolve(Path(joined(components)), making: .directory(mode: 0o755))
        return ParentDirectory(fd: directory, name: Path(name))
    }

    /// Follows the links of a path by hand, since the kernel cannot follow one that points at something still missing, and
    /// makes what is not there. The result has neither links nor dots.
    private func walk(_ path: Path, making make: MissingEntry) throws(Errno) -> [[UInt8]] {
        var waiting: [[UInt8]] = split(path.bytes)
        waiting.reverse()
        var place: [[UInt8]] = []
        var links = 0
        var steps = 0
        while let component = waiting.popLast() {
            steps += 1
            guard steps <= RootDirectory.componentsMax else { throw .nameTooLong }
            if isDot(component) { continue }
            if isDotDot(component) {
                _ = place.popLast()
                continue
            }
            if let text = try look(place, component, isLast: waiting.isEmpty, making: make) {
                links += 1
                guard links <= RootDirectory.linksMax else { throw .tooManyLinks }
                if text.first == UInt8(ascii: "/") { place = [] }
                waiting += split(text).reversed()
            } else {
                place.append(component)
            }
        }
        return place
    }

    /// The text of the component where it is a link; nil where it is there, or has been made.
    private func look(
        _ place: [[UInt8]], _ component: [UInt8], isLast: Bool, making make: MissingEntry
    ) throws(Errno) -> [UInt8]? {
        let parent = try open(place)
        let name = Path(component)
        let kind: FileStatus.Kind
        do throws(Errno) {
            kind = try parent.status(name).kind
        } catch {
            guard error == .noEntry else { throw error }
            switch isLast ? make : .directory(mode: 0o755) {
            case .directory(let mode): try parent.makeDirectory(name, mode: mode)
            case .file(let mode): try parent.makeNode(name, kind: .regular, mode: mode)
            }
            return nil
        }
        return kind == .symlink ? try parent.readSymlink(name) : nil
    }

    /// A place without links: one that has become a link meanwhile is refused (ELOOP).
    private func open(_ place: [[UInt8]]) throws(Errno) -> OwnedFD {
        try fd.open(Path(joined(place)), .path, resolve: [.inRoot, .noSymlinks])
    }
}

/// What is made where a path of a `RootDirectory` does not lead anywhere.
package enum MissingEntry: Sendable, Equatable {
    case directory(mode: UInt32)
    case file(mode: UInt32)
}

/// A directory and a name in it that is neither "." nor "..".
package struct ParentDirectory: ~Copyable, Sendable {
    package let fd: OwnedFD
    package let name: Path
}

private func split(_ path: [UInt8]) -> [[UInt8]] {
    var components: [[UInt8]] = []
    for part in path.split(separator: UInt8(ascii: "/")) { components.append(Array(part)) }
    return components
}

private func joined(_ components: [[UInt8]]) -> [UInt8] {
    var path: [UInt8] = []
    for component in components {
        if !path.isEmpty { path.append(UInt8(ascii: "/")) }
        path += component
    }
    return path.isEmpty ? [UInt8(ascii: ".")] : path
}

private func isDot(_ component: [UInt8]) -> Bool { component.count == 1 && component[0] == UInt8(ascii: ".") }

private func isDotDot(_ component: [UInt8]) -> Bool {
    component.count == 2 && component[0] == UInt8(ascii: ".") && component[1] == UInt8(ascii: ".")
}
