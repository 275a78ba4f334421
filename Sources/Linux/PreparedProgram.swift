import CLinux

/// An execve(2) with everything allocated beforehand: it may be called under a seccomp filter that refuses brk(2) and mmap(2).
package struct PreparedProgram: ~Copyable {
    private let candidates: [Path]
    /// Where the search begins: with the first candidate that is there.
    private(set) var first = 0
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

    /// Looks ahead past candidates that are missing: execve(2) makes a whole address space before it finds that out. To be
    /// called as the user and in the directory of the program.
    package mutating func skipMissing() {
        guard candidates.count > 1 else { return }
        first = candidates.firstIndex { !PreparedProgram.isMissing($0) } ?? 0
    }

    private static func isMissing(_ path: Path) -> Bool {
        do throws(Errno) {
            try path.call { unsafe cl_lookup($0.pointer) }
            return false
        } catch {
            return error == .noEntry || error == .notDirectory
        }
    }

    /// Returns only when nothing could be executed: EACCES when a candidate was there but might not be executed, else ENOENT;
    /// any other failure of a candidate ends the search. What was skipped comes last, so that all have been tried then.
    package func execute() -> Errno {
        var result = Errno.noEntry
        for index in candidates.indices {
            let candidate = candidates[(first + index) % candidates.count]
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
