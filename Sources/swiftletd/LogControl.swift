import Logging
import Synchronization

/// What is logged and in which form; every logger of the daemon looks here, so that both can change while it runs.
final class LogControl: Sendable {
    private struct State {
        var level: Logger.Level
        var format: LogOutput.Format
    }

    private let state: Mutex<State>

    /// Takes what the configuration says, which was checked.
    init(_ config: Config) {
        state = Mutex(State(level: .info, format: .text))
        set(config)
    }

    var level: Logger.Level { state.withLock { $0.level } }
    var format: LogOutput.Format { state.withLock { $0.format } }

    func set(_ config: Config) {
        state.withLock { state in
            state.level = Logger.Level(rawValue: config.logLevel) ?? state.level
            state.format = LogOutput.Format(rawValue: config.logFormat) ?? state.format
        }
    }
}
