import CLinux

/// An execve(2) with everything allocated beforehand: it may be called under a seccomp filter that refuses brk(2) and mmap(2).
package struct PreparedProgram: ~Copyable {
    private let candidates: [Path]
    private let arguments: CStringVector
    private let environment: CStringVector

    /// A first argument without "/" is looked up in `searchPath`, in order, as execvp(3) does.
    package init(arguments: [[UInt8]], environment: [[UInt8]], searchPath: [[UInt8]]) throws(Errno) {
        guard let name = arguments.first, !name.isEmpty else { throw .noEntry }
        var candidates: [Path] = []
        if name.contains(UInt8(ascii: "/")) {
            candidates.append(Path(name))
        } else {
            for directory in searchPath where !directory.isEmpty {
                candidates.append(Path(directory).appending(Path(name)))
            }
        }
        let argumentVector = try CStringVector(arguments)
        let environmentVector = try CStringVector(environment)
        self.candidates = candidates
        self.arguments = argumentVector
        self.environment = environmentVector
    }

    /// Returns only when nothing could be executed: EACCES when a candidate was there but might not be executed, else ENOENT;
    /// any other failure of a candidate ends the search.
    package func execute() -> Errno {
        var result = Errno.noEntry
        for candidate in candidates {
            do throws(Errno) {
                // Both vectors end with a null pointer and live in this value.
                try candidate.call { unsafe cl_execve($0.pointer, arguments.pointers, environment.pointers) }
            } catch {
                if error == .permissionDenied {
                    result = error
                } else if error != .noEntry && error != .notDirectory {
                    return error
                }
            }
        }
        return result
    }

    /// execveat(2) of an open file, with an empty environment. Returns only on failure.
    package static func execute(_ file: borrowing OwnedFD, arguments: [[UInt8]]) throws(Errno) {
        let arguments = try CStringVector(arguments)
        let environment = try CStringVector([])
        // Both vectors outlive the call.
        try check(unsafe cl_execveat(file.raw, arguments.pointers, environment.pointers))
    }
}
