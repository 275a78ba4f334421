import CLICore
import SwiftletAPI

/// Pulls as lines that are written one after the other, for what is no terminal: what began and ended, and now and then how
/// far it is.
struct PullLines {
    private struct Known {
        var layers: [String: Swiftlet_V1_LayerState] = [:]
        var said: ContinuousClock.Instant
    }

    /// The shortest time between two lines that only tell of bytes.
    private static let pause = Duration.seconds(5)

    /// By the time that they started, of which no two have the same.
    private var known: [Int64: Known] = [:]

    /// What is new since the last message.
    mutating func take(_ pulls: [Swiftlet_V1_PullProgress], at now: ContinuousClock.Instant) -> [String] {
        defer { known = known.filter { entry in pulls.contains { $0.startedAt == entry.key && $0.isRunning } } }
        return pulls.flatMap { lines(of: $0, at: now) }
    }

    private mutating func lines(of pull: Swiftlet_V1_PullProgress, at now: ContinuousClock.Instant) -> [String] {
        let image = printable(pull.image)
        let isNew = known[pull.startedAt] == nil
        var entry = known[pull.startedAt] ?? Known(said: now)
        var lines = isNew ? ["\(image): resolving"] : []
        if entry.layers.isEmpty, !pull.layers.isEmpty {
            let total = pull.layers.reduce(0) { $0 + $1.bytesTotal }
            lines.append("\(image): \(pull.layers.count) layers of \(PullPicture.size(total))")
        }
        for layer in pull.layers where entry.layers.updateValue(layer.state, forKey: layer.digest) != layer.state {
            let id = PullPicture.shortDigest(layer.digest)
            switch layer.state {
            case .layerDone: lines.append("\(image): \(id) done, \(PullPicture.size(layer.bytesTotal))")
            case .layerPresent: lines.append("\(image): \(id) present")
            case .layerWaiting, .layerFetching, .layerUnpacking, .UNRECOGNIZED: break
            }
        }
        switch pull.state {
        case .pullDone: lines.append("\(image): done")
        case .pullFailed: lines.append("\(image): failed: \(printable(pull.error))")
        case .pullFetching where lines.isEmpty && now - entry.said >= Self.pause:
            let layers = pull.layers.filter { $0.state != .layerPresent }
            let total = layers.reduce(0) { $0 + $1.bytesTotal }
            lines.append(
                "\(image): \(PullPicture.size(PullPicture.fetched(layers))) of \(PullPicture.size(total))")
        case .pullFetching, .pullResolving, .UNRECOGNIZED: break
        }
        if !lines.isEmpty { entry.said = now }
        known[pull.startedAt] = entry
        return lines
    }
}

extension Swiftlet_V1_PullProgress {
    /// Whether it has not come to its end.
    var isRunning: Bool { state == .pullResolving || state == .pullFetching }
}
