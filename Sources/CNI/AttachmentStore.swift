import Linux
import Model

/// The directory of attachment records: `<pod id>.json`, and `<pod id>.running` while a plugin runs for that pod.
struct AttachmentStore: Sendable {
    let path: String

    private static let recordMax = 4 << 20

    /// Makes the directory (its parent has to be there).
    init(path: String) throws(CNIError) {
        self.path = path
        do throws(Errno) {
            let parts = path.split(separator: "/", omittingEmptySubsequences: true)
            guard let name = parts.last, path.hasPrefix("/") else { throw Errno.invalidArgument }
            let parent = try OwnedFD.open(Path("/" + parts.dropLast().joined(separator: "/")), [.readOnly, .directory])
            do throws(Errno) {
                try parent.makeDirectory(Path(String(name)), mode: 0o700)
            } catch {
                if error != .alreadyExists { throw error }
            }
        } catch {
            throw .system(operation: "make directory", path: path, errno: error)
        }
    }

    /// Nil when the pod has no attachment.
    func read(_ pod: PodID) throws(CNIError) -> AttachmentRecord? {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try directory().readFile(Path(Self.record(pod)), max: Self.recordMax)
        } catch {
            if error == .noEntry { return nil }
            throw .system(operation: "read", path: place(pod), errno: error)
        }
        let record = try AttachmentRecord(parsing: bytes, file: place(pod))
        guard record.pod == pod else { throw .badRecord(file: place(pod), reason: "of another pod") }
        return record
    }

    func exists(_ pod: PodID) throws(CNIError) -> Bool {
        do throws(Errno) {
            _ = try directory().status(Path(Self.record(pod)))
            return true
        } catch {
            if error == .noEntry { return false }
            throw .system(operation: "read", path: place(pod), errno: error)
        }
    }

    func write(_ record: AttachmentRecord) throws(CNIError) {
        do throws(Errno) {
            try directory().replaceFile(Path(Self.record(record.pod)), record.bytes)
        } catch {
            throw .system(operation: "write", path: place(record.pod), errno: error)
        }
    }

    func remove(_ pod: PodID) throws(CNIError) {
        do throws(Errno) { try removeFile(Self.record(pod)) } catch {
            throw .system(operation: "remove", path: place(pod), errno: error)
        }
    }

    /// Every pod with a record, in order, damaged ones too.
    func pods() throws(CNIError) -> [PodID] { try names(endingWith: ".json").sorted() }

    // MARK: - Running plugins

    /// Remembers a plugin's process, for a daemon that starts after this one was killed. Best effort: without it only
    /// the killing of a leftover is lost.
    func noteRunning(_ pod: PodID, pid: Int32) {
        do throws(Errno) {
            guard let process = try ProcessIdentity(pid: pid) else { return }
            let file = try directory().open(
                Path(Self.running(pod)), [.writeOnly, .create, .truncate, .noFollow], mode: 0o600)
            try file.writeAll(Array("\(process.pid) \(process.startTicks)\n".utf8))
        } catch {
            return
        }
    }

    func noteEnded(_ pod: PodID) {
        do throws(Errno) { try removeFile(Self.running(pod)) } catch { return }
    }

    /// Kills the plugins that an earlier daemon left running, so that they do not act on a pod that is being released.
    func killLeftovers() throws(CNIError) {
        for pod in try names(endingWith: ".running") {
            do throws(Errno) {
                let text = String(decoding: try directory().readFile(Path(Self.running(pod)), max: 64), as: UTF8.self)
                let numbers = text.split(whereSeparator: \.isWhitespace)
                if numbers.count == 2, let pid = Int32(numbers[0]), pid > 1, let ticks = UInt64(numbers[1]) {
                    try ProcessIdentity(pid: pid, startTicks: ticks).killGroup()
                }
                try removeFile(Self.running(pod))
            } catch {
                throw .system(operation: "kill plugin left by", path: "\(path)/\(Self.running(pod))", errno: error)
            }
        }
    }

    // MARK: - Names

    private static func record(_ pod: PodID) -> String { pod.text + ".json" }
    private static func running(_ pod: PodID) -> String { pod.text + ".running" }
    private func place(_ pod: PodID) -> String { "\(path)/\(Self.record(pod))" }
    private func directory() throws(Errno) -> OwnedFD { try OwnedFD.open(Path(path), [.readOnly, .directory]) }

    private func removeFile(_ name: String) throws(Errno) {
        do throws(Errno) {
            try directory().unlink(Path(name))
        } catch {
            if error != .noEntry { throw error }
        }
    }

    private func names(endingWith suffix: String) throws(CNIError) -> [PodID] {
        do throws(Errno) {
            return try directory().entries(max: 1 << 20).map { String(decoding: $0.name, as: UTF8.self) }
                .filter { $0.hasSuffix(suffix) }.compactMap { PodID(String($0.dropLast(suffix.utf8.count))) }
        } catch {
            throw .system(operation: "list", path: path, errno: error)
        }
    }
}
