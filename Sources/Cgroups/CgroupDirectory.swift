import Linux

/// An open cgroup.
struct CgroupDirectory: ~Copyable {
    let fd: OwnedFD
    let path: CgroupPath

    /// The longest text that is read from a cgroup file; io.stat of a host with thousands of disks is the largest.
    private static let textMax = 1 << 20

    /// The text of a file; nil where there is none, since its controller is not enabled, the kernel too old, pressure
    /// accounting off (EOPNOTSUPP), or the cgroup gone meanwhile (ENODEV).
    func read(_ file: String) throws(CgroupError) -> String? {
        do throws(Errno) {
            let bytes = try fd.open(Path(file), [.readOnly, .noFollow]).readToEnd(max: Self.textMax)
            return String(decoding: bytes, as: UTF8.self)
        } catch {
            if error == .noEntry || error == .cgroupGone || error == .notSupported { return nil }
            throw .system(operation: "read", path: place(file), errno: error)
        }
    }

    /// Writes a value in one system call; a missing file is `noSuchFile`.
    func write(_ file: String, _ value: String) throws(CgroupError) {
        let handle: OwnedFD
        do throws(Errno) {
            handle = try fd.open(Path(file), [.writeOnly, .noFollow])
        } catch {
            if error == .noEntry { throw .noSuchFile(file, cgroup: path.description) }
            throw .system(operation: "open", path: place(file), errno: error)
        }
        do throws(Errno) {
            // An empty value still has to be a write: an empty cpuset means "as the parent".
            try handle.writeAll(Array((value.isEmpty ? "\n" : value).utf8))
        } catch {
            throw .system(operation: "write \"\(value.prefix(64))\" to", path: place(file), errno: error)
        }
    }

    /// The names in a file that lists words, such as cgroup.controllers.
    func words(_ file: String) throws(CgroupError) -> Set<String> {
        let text = try read(file) ?? ""
        return Set(text.split(whereSeparator: { $0 == " " || $0 == "\n" }).map(String.init))
    }

    /// Whether a process lives here or below; false for a cgroup that is gone.
    func isPopulated() throws(CgroupError) -> Bool {
        KeyedText.flat(try read("cgroup.events") ?? "")["populated"] == 1
    }

    private func place(_ file: String) -> String { "\(path)/\(file)" }
}

extension Errno {
    /// ENODEV: the answer of an open file whose cgroup was removed.
    static let cgroupGone = Errno(19)
}
