import Logging
import Model
import Synchronization

/// The configuration in force, and the ways in which it changes while the daemon runs. One change at a time: none is lost.
final class LiveConfiguration: Sendable {
    /// What reading the file again came to.
    struct Reloaded: Equatable, Sendable {
        /// Keys that changed and are in force.
        var applied: [String] = []
        /// Keys that differ in the file and are read at the next start only.
        var needsRestart: [String] = []
    }

    /// The keys that are looked at whenever they are needed, and on which nothing else depends. The rest goes into what lives
    /// as long as the daemon, or would give the parts of a pod different values.
    private static func take(_ found: Config, into config: inout Config) {
        config.logLevel = found.logLevel
        config.logFormat = found.logFormat
        // Of pulls that begin from now on.
        config.registry.hostsDir = found.registry.hostsDir
        config.registry.progressTimeoutSeconds = found.registry.progressTimeoutSeconds
        // Of containers that are created from now on.
        config.image.volumes = found.image.volumes
        // Of execs that begin from now on.
        config.exec.syncOutputBytesMax = found.exec.syncOutputBytesMax
        config.exec.syncDrainMilliseconds = found.exec.syncDrainMilliseconds
    }

    private let running: Mutex<Config>
    private let read: @Sendable () throws -> Config
    private let apply: @Sendable (Config) -> Void

    /// - Parameters:
    ///   - config: what the daemon was started with.
    ///   - read: reads and checks the file again; throws what a start would say.
    ///   - apply: puts the values in force, called under the lock.
    init(
        _ config: Config, read: @escaping @Sendable () throws -> Config, apply: @escaping @Sendable (Config) -> Void
    ) {
        running = Mutex(config)
        self.read = read
        self.apply = apply
    }

    /// What is in force.
    var current: Config { running.withLock { $0 } }

    /// Takes over what may change, all of it or, if the file is refused, nothing. May block on the disk.
    func reload() throws -> Reloaded {
        try running.withLock { running in
            let found = try read()
            var next = running
            Self.take(found, into: &next)
            let reloaded = Reloaded(
                applied: try next.differences(from: running), needsRestart: try found.differences(from: next))
            apply(next)
            running = next
            return reloaded
        }
    }

    /// Sets the log level, and returns the one before; the file's is in force again after a reload or a restart.
    func setLogLevel(_ level: Logger.Level) -> String {
        running.withLock { running in
            let previous = running.logLevel
            running.logLevel = level.rawValue
            apply(running)
            return previous
        }
    }
}
