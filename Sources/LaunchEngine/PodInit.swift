package import LaunchProtocol
import Linux

/// PID 1 of a namespace that a pod's containers share: reaps what they leave behind, and ends on SIGTERM.
///
/// It is the launcher executed anew, with an empty root, no capability and only descriptors 0 to 2: a mere copy of the
/// supervisor would hand its memory and its root to every container that may look into `/proc/1`.
package enum PodInit {
    package static let arguments: [Bytes] = [Path("swiftlet-launch").bytes, Path("pod-init").bytes]

    package static func run() -> Never {
        let awaited = SignalSet([.child, .terminate, .interrupt])
        do throws(Errno) {
            // Blocked and waited for: PID 1 gets no signal that it has neither blocked nor a handler for.
            try awaited.block()
            try CurrentProcess.setName("swiftlet-launch")
            // execve(2) has made it dumpable again.
            try CurrentProcess.forbidDumping()
            while true {
                CurrentProcess.reapAll()
                if try awaited.wait() != .child { CurrentProcess.exit(0) }
            }
        } catch {
            CurrentProcess.exit(1)
        }
    }
}
