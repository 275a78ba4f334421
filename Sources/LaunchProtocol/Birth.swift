/// How a supervisor comes into the world: argument vector and descriptors that the daemon gives it by posix_spawn(3).
///
/// `argv` is `["swiftlet-launch", "supervise", <pod id>]`. It makes the supervisor by clone3(2) in its cgroup, which calls setsid(2),
/// runs the birth plan, binds `ctl` in the pod directory and listens; then the first process exits 0. Where anything fails it
/// writes one `BirthFailure` frame to the report pipe, undoes nothing that the daemon's idempotent undo covers, and exits 1.
package enum Birth {
    /// Sealed memfd with the birth plan.
    package static let planDescriptor: Int32 = 3
    /// The pod's directory below `state`; `ctl` is bound in it.
    package static let podDirectoryDescriptor: Int32 = 4
    /// The directory below `root` where exit records go.
    package static let exitDirectoryDescriptor: Int32 = 5
    /// The supervisor's own cgroup directory; it is born there.
    package static let cgroupDescriptor: Int32 = 6
    /// Write end of the pipe for a failure report.
    package static let reportDescriptor: Int32 = 7
    /// The sealed launcher, opened read-only: for the pod's init.
    package static let launcherDescriptor: Int32 = 8
    /// Name of the control socket in the pod directory.
    package static let socketName = "ctl"
}
