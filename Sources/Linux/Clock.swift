import CLinux

/// The kernel's clocks (clock_gettime(2)), in nanoseconds.
package enum Clock {
    /// Since 1970; may jump.
    package static var realtimeNanoseconds: Int64 { cl_clock_nanoseconds(0) }
    /// For deadlines; stands still while the machine sleeps.
    package static var monotonicNanoseconds: Int64 { cl_clock_nanoseconds(1) }
    /// Since the machine started, sleep included.
    package static var boottimeNanoseconds: Int64 { cl_clock_nanoseconds(7) }
}
