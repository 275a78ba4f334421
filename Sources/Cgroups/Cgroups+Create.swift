import Linux
package import Model

extension Cgroups {
    /// Controllers that every cgroup of a pod gets where the host has them, for limits and for statistics.
    private static let usualControllers: Set<String> = ["cpu", "io", "memory", "pids"]

    /// Makes a cgroup with its limits and its device program, before the first process. What is missing above it is
    /// made too.
    ///
    /// A leftover without processes is taken over; one with processes is `busy`. After a failure nothing of the cgroup
    /// itself remains.
    /// - Returns: files of limits that the host cannot enforce; always empty when controllers are required.
    @discardableResult
    package func create(
        _ path: CgroupPath, resources: LinuxResources = LinuxResources(), devices: DeviceProgram? = nil
    ) async throws -> [String] {
        let writes = try resources.limitWrites()
        return try await pool.run { [self] in try createNow(path, writes: writes, devices: devices) }
    }

    func createNow(_ path: CgroupPath, writes: [LimitWrite], devices: DeviceProgram?) throws(CgroupError) -> [String] {
        let needed = Set(writes.map(\.controller)).subtracting(["cgroup"])
        let made = try makeDirectory(path, passing: Self.usualControllers.union(needed))
        if !made.isNew, try made.directory.isPopulated() { throw .busy(path.description) }
        do throws(CgroupError) {
            var unenforced: [String] = []
            for write in writes {
                if try !apply(write, to: made.directory) { unenforced.append(write.file) }
            }
            if let devices { try devicePrograms.attach(devices, to: made.directory) }
            return unenforced
        } catch {
            // The limit's failure counts; the directory is empty and, if it stays, the next attempt takes it over.
            do throws(CgroupError) { _ = try removeNow(path) } catch let second { _ = second }
            throw error
        }
    }

    /// A cgroup that was opened for use, and whether this call made it.
    struct MadeDirectory: ~Copyable {
        var directory: CgroupDirectory
        var isNew: Bool
    }

    /// Opens `path`, makes what is missing of it, and enables `controllers` on the way down as far as the host has
    /// them.
    func makeDirectory(_ path: CgroupPath, passing controllers: Set<String>) throws(CgroupError) -> MadeDirectory {
        var here = CgroupDirectory(fd: try root.duplicated(.root), path: .root)
        var isNew = false
        for name in path.components {
            try here.enable(controllers)
            let place = try here.path.appending(name)
            do throws(Errno) {
                let below = try here.fd.openOrMake(name, isNew: &isNew)
                here = CgroupDirectory(fd: below, path: place)
            } catch {
                throw .system(operation: "make cgroup", path: place.description, errno: error)
            }
        }
        return MadeDirectory(directory: here, isNew: isNew)
    }

    /// Writes a limit; false where it is tolerated that this host does not enforce it.
    func apply(_ write: LimitWrite, to directory: borrowing CgroupDirectory) throws(CgroupError) -> Bool {
        do throws(CgroupError) {
            try directory.write(write.file, write.value)
            return true
        } catch .noSuchFile(let file, let cgroup) {
            if write.mayBeMissing { return true }
            let controllers = try directory.words("cgroup.controllers")
            if !write.isOfController || controllers.contains(write.controller) {
                throw .noSuchFile(file, cgroup: cgroup)
            }
            if requireControllers { throw .controllerMissing(write.controller, file: file, cgroup: cgroup) }
            return false
        }
    }
}

extension CgroupDirectory {
    /// Enables controllers for the cgroups below, in one write where the kernel takes it. What cannot be enabled here
    /// is no error yet: the limit that needs it will be (a cgroup with processes of its own passes on nothing, for
    /// example).
    fileprivate func enable(_ controllers: Set<String>) throws(CgroupError) {
        let missing = controllers.subtracting(try words("cgroup.subtree_control"))
        if missing.isEmpty { return }
        let possible = missing.intersection(try words("cgroup.controllers")).sorted()
        if possible.isEmpty { return }
        if try tryToEnable(possible) { return }
        for controller in possible { _ = try tryToEnable([controller]) }
    }

    private func tryToEnable(_ controllers: [String]) throws(CgroupError) -> Bool {
        do throws(CgroupError) {
            try write("cgroup.subtree_control", controllers.map { "+" + $0 }.joined(separator: " "))
            return true
        } catch .system(_, _, let errno) where [.busy, .noEntry, .notSupported, .invalidArgument].contains(errno) {
            return false
        }
    }
}

extension OwnedFD {
    /// The cgroup `name` below this one; `isNew` tells whether it was made for this call.
    fileprivate func openOrMake(_ name: String, isNew: inout Bool) throws(Errno) -> OwnedFD {
        let flags: OpenFlags = [.readOnly, .directory, .noFollow]
        isNew = false
        do throws(Errno) {
            return try open(Path(name), flags)
        } catch {
            if error != .noEntry { throw error }
        }
        do throws(Errno) {
            try makeDirectory(Path(name), mode: 0o755)
            isNew = true
        } catch {
            // Another pod's start made the same parent.
            if error != .alreadyExists { throw error }
        }
        return try open(Path(name), flags)
    }

    func duplicated(_ path: CgroupPath) throws(CgroupError) -> OwnedFD {
        do throws(Errno) { return try duplicate() } catch {
            throw .system(operation: "duplicate the descriptor of cgroup", path: path.description, errno: error)
        }
    }
}
