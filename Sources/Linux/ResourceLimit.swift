import CLinux

/// Soft and hard limit of the calling process on one resource (getrlimit(2)).
package struct ResourceLimit: Sendable, Equatable {
    package var soft: UInt64
    package var hard: UInt64

    package init(soft: UInt64, hard: UInt64) {
        self.soft = soft
        self.hard = hard
    }

    package static func current(_ resource: UInt32) throws(Errno) -> ResourceLimit {
        var pair: (UInt64, UInt64) = (0, 0)
        // The kernel writes the two numbers of a struct rlimit64.
        try check(
            unsafe withUnsafeMutablePointer(to: &pair) { pointer in
                unsafe pointer.withMemoryRebound(to: UInt64.self, capacity: 2) { unsafe cl_prlimit(resource, nil, $0) }
            })
        return ResourceLimit(soft: pair.0, hard: pair.1)
    }

    package func apply(to resource: UInt32) throws(Errno) {
        var pair = (soft, hard)
        // The kernel reads the two numbers of a struct rlimit64.
        try check(
            unsafe withUnsafeMutablePointer(to: &pair) { pointer in
                unsafe pointer.withMemoryRebound(to: UInt64.self, capacity: 2) { unsafe cl_prlimit(resource, $0, nil) }
            })
    }
}

/// All limits of a process as they were read once: what its children inherit, as long as nobody changes them.
package struct ResourceLimits: Sendable {
    private var limits: [ResourceLimit?]

    /// Nothing is known.
    package init() { limits = [] }

    /// RLIM_NLIMITS: resources are numbered from 0.
    private static let count: UInt32 = 16

    /// Of the calling process. One that cannot be read stays unknown.
    package static func current() -> ResourceLimits {
        var all = ResourceLimits()
        for resource in 0..<count {
            do throws(Errno) {
                all.limits.append(try ResourceLimit.current(resource))
            } catch {
                all.limits.append(nil)
            }
        }
        return all
    }

    /// nil where it is not known.
    package subscript(resource: UInt32) -> ResourceLimit? {
        resource < limits.count ? limits[Int(resource)] : nil
    }

    /// To be called when a limit is changed.
    package mutating func forget(_ resource: UInt32) {
        if resource < limits.count { limits[Int(resource)] = nil }
    }
}
