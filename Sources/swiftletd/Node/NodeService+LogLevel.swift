import Logging
import Model
import SwiftProtobuf
import SwiftletAPI

extension NodeService {
    /// `LogLevel`: an empty level only asks.
    func logLevel(_ request: Swiftlet_V1_LogLevelRequest) throws(Fault) -> Swiftlet_V1_LogLevelResponse {
        guard !request.level.isEmpty else {
            let level = configuration.current.logLevel
            return .with { ($0.level, $0.previous) = (level, level) }
        }
        guard let level = Logger.Level(rawValue: request.level) else {
            let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw Fault.invalid("level \"\(request.level.prefix(64))\" is none of \(levels)")
        }
        let previous = configuration.setLogLevel(level)
        log.notice("log level set", metadata: ["level": "\(level)", "previous": "\(previous)"])
        return .with { ($0.level, $0.previous) = (level.rawValue, previous) }
    }
}
