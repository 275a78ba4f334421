package import Linux
package import Model

/// Why an operation on a cgroup failed.
package enum CgroupError: Error, Equatable, Sendable {
    /// The path of a request is none that we would make.
    case badPath(String, why: String)
    /// A value of the request cannot be a limit; `field` is the CRI's name of it.
    case badLimit(field: String, why: String)
    /// The list of device rules is too long.
    case tooManyDeviceRules(Int)
    /// The host has no cgroup2 mount, or no line of mountinfo names one.
    case noHierarchy
    /// The host's cgroup2 hierarchy does not have the controller that a limit needs, or it cannot be enabled there.
    case controllerMissing(String, file: String, cgroup: String)
    /// The kernel has no file of that name in the cgroup.
    case noSuchFile(String, cgroup: String)
    /// A memory limit that would end the container at once: only the OOM killer could enforce it.
    case limitBelowUsage(limitBytes: UInt64, usageBytes: UInt64)
    /// The cgroup still has processes after everything was tried for as long as allowed.
    case busy(String)
    /// A system call failed.
    case system(operation: String, path: String, errno: Errno)
    /// The verifier refused the device program; its last words.
    case deviceProgramRefused(errno: Errno, log: String)
    /// A file of the kernel does not read as documented.
    case unreadable(file: String, text: String)
}

extension CgroupError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .badPath(let path, let why): "cgroup path \"\(path)\": \(why)"
        case .badLimit(let field, let why): "\(field): \(why)"
        case .tooManyDeviceRules(let count):
            "compile device rules: \(count) rules are more than \(DeviceProgram.rulesMax)"
        case .noHierarchy: "find the cgroup2 hierarchy: no cgroup2 file system is mounted"
        case .controllerMissing(let controller, let file, let cgroup):
            "write \"\(file)\" of cgroup \"\(cgroup)\": cgroup v2 has no \"\(controller)\" controller here"
        case .noSuchFile(let file, let cgroup): "write \"\(file)\" of cgroup \"\(cgroup)\": the kernel has no such file"
        case .limitBelowUsage(let limit, let usage):
            "lower memory limit to \(limit) bytes: the container uses \(usage) bytes that cannot be reclaimed"
        case .busy(let path): "remove cgroup \"\(path)\": processes in it do not end"
        case .system(let operation, let path, let errno): "\(operation) \"\(path)\": \(errno)"
        case .deviceProgramRefused(let errno, let log): "load device program: \(errno)\(log.isEmpty ? "" : ": \(log)")"
        case .unreadable(let file, let text): "read \"\(file)\": unexpected text \"\(text)\""
        }
    }

    /// The same as a client of the CRI sees it.
    package var fault: Fault {
        let code: Fault.Code =
            switch self {
            case .badPath, .badLimit, .tooManyDeviceRules, .noSuchFile: .invalidArgument
            case .controllerMissing, .noHierarchy, .limitBelowUsage: .failedPrecondition
            case .busy: .unavailable
            case .system, .deviceProgramRefused, .unreadable: .internal
            }
        return Fault(code, description)
    }
}
