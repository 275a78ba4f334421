import LaunchProtocol
import Planner
import Synchronization

/// The last commands of a running container, ready to be launched again: probes run the same few again and again.
///
/// Emptied when the main process ends, so that what is found here may be launched.
final class RecentExecs: Sendable {
    /// A container has at most three probes, and a postStart hook; the one that was asked for longest ago makes room.
    static let launchesMax = 4

    private let launches = Mutex<[(request: ExecRequest, launch: ExecLaunch)]>([])

    func launch(of request: ExecRequest) -> ExecLaunch? {
        launches.withLock { launches in
            guard let index = launches.lastIndex(where: { $0.request == request }) else { return nil }
            if index != launches.count - 1 { launches.append(launches.remove(at: index)) }
            return launches.last?.launch
        }
    }

    func keep(_ launch: ExecLaunch, of request: ExecRequest) {
        launches.withLock { launches in
            launches.removeAll { $0.request == request }
            launches.append((request, launch))
            if launches.count > Self.launchesMax { launches.removeFirst() }
        }
    }

    func removeAll() { launches.withLock { $0 = [] } }
}
