import CLICore
import SwiftletAPI

/// One pull as lines of text: a bar for each layer and one for all. Pure: what it knows comes in with the time.
struct PullPicture {
    private static let idLength = 12

    let name: String
    private(set) var progress = Swiftlet_V1_PullProgress()
    private var rates: [String: TransferRate] = [:]
    private var total = TransferRate()

    /// `name` as the user knows the image.
    init(name: String) { self.name = printable(name) }

    /// Whether there is more to show than that somebody waits.
    var hasLayers: Bool { !progress.layers.isEmpty }

    mutating func take(_ progress: Swiftlet_V1_PullProgress, at time: ContinuousClock.Instant) {
        self.progress = progress
        for layer in progress.layers { rates[layer.digest, default: TransferRate()].note(layer.bytesFetched, at: time) }
        total.note(Self.fetched(progress.layers), at: time)
    }

    /// The call succeeded before the last message came.
    mutating func finish() {
        progress.state = .pullDone
        for index in progress.layers.indices where progress.layers[index].state != .layerPresent {
            progress.layers[index].state = .layerDone
            progress.layers[index].bytesFetched = progress.layers[index].bytesTotal
        }
    }

    // MARK: - Lines

    /// At most `rowsMax` lines of less than `columns` characters.
    func lines(rows rowsMax: Int, columns: Int, at now: ContinuousClock.Instant) -> [String] {
        let width = max(1, columns - 1)
        var shown = Array(progress.layers.indices)
        let room = max(0, rowsMax - 1)
        var hidden = 0
        if shown.count > room {
            // What moves is worth a line more than what is over, and that more than what has not begun.
            let order: [Swiftlet_V1_LayerState] = [.layerFetching, .layerUnpacking, .layerWaiting, .layerDone]
            let rank = { (index: Int) in order.firstIndex(of: progress.layers[index].state) ?? order.count }
            let kept = max(0, room - 1)
            hidden = shown.count - kept
            shown = shown.sorted { (rank($0), $0) < (rank($1), $1) }.prefix(kept).sorted()
        }
        var lines = shown.map { line(of: progress.layers[$0], width, now) }
        if hidden > 0, room > 0 { lines.append("... \(hidden) more layers") }
        lines.append(totalLine(width, now))
        return lines.map { String($0.prefix(width)) }
    }

    private func line(of layer: Swiftlet_V1_LayerProgress, _ width: Int, _ now: ContinuousClock.Instant) -> String {
        let id = Self.shortDigest(layer.digest, width < 40 ? 7 : Self.idLength)
        switch layer.state {
        case .layerWaiting: return "\(id)  waiting"
        case .layerPresent: return "\(id)  present"
        case .layerDone: return "\(id)  done  \(Self.size(layer.bytesTotal))"
        case .layerUnpacking: return "\(id)  unpacking  \(Self.size(layer.bytesTotal))"
        case .layerFetching, .UNRECOGNIZED:
            let rate = rates[layer.digest]?.perSecond(at: now)
            return Self.bar(id, layer.bytesFetched, layer.bytesTotal, rate, width)
        }
    }

    private func totalLine(_ width: Int, _ now: ContinuousClock.Instant) -> String {
        let layers = progress.layers.filter { $0.state != .layerPresent }
        let (fetched, all) = (Self.fetched(layers), layers.reduce(0) { $0 + $1.bytesTotal })
        switch progress.state {
        case .pullFetching where !progress.layers.isEmpty:
            return Self.bar("total", fetched, all, total.perSecond(at: now), width)
        case .pullDone: return "total  \(Self.size(fetched)) fetched"
        case .pullFailed: return "total  \(Self.size(fetched)) of \(Self.size(all)) fetched"
        case .pullFetching, .pullResolving, .UNRECOGNIZED: return "resolving \(name)"
        }
    }

    /// What there is room for, the most important first: name, bytes, rate, and a bar in the rest.
    private static func bar(_ name: String, _ bytes: Int64, _ total: Int64, _ rate: Double?, _ width: Int) -> String {
        let sizes = "  \(size(bytes)) of \(size(total))"
        let speed = rate.map { "  \(size(Int64($0.rounded())))/s" } ?? ""
        guard name.count + sizes.count <= width else {
            return "\(name)  \(total > 0 ? bytes * 100 / total : 0)%"
        }
        // Rates and sizes come and go in length; the bar stays where it is.
        let room = min(30, width - name.count - 38)
        let share = total > 0 ? Double(bytes) / Double(total) : 0
        let full = max(0, min(room, Int((share * Double(max(0, room))).rounded(.down))))
        let bar =
            room < 6
            ? ""
            : "  [" + String(repeating: "=", count: full) + (full < room ? ">" : "")
                + String(repeating: " ", count: max(0, room - full - 1)) + "]"
        let line = name + bar + sizes
        return line.count + speed.count <= width ? line + speed : line
    }

    // MARK: - Words

    static func fetched(_ layers: [Swiftlet_V1_LayerProgress]) -> Int64 { layers.reduce(0) { $0 + $1.bytesFetched } }

    /// Digests come from a registry by way of the runtime: whatever they are, they drive no terminal.
    static func shortDigest(_ digest: String, _ length: Int = idLength) -> String {
        let hex = digest.split(separator: ":").last ?? ""
        return printable(String(hex.prefix(length)))
    }

    static func size(_ bytes: Int64) -> String { sizeText(UInt64(max(0, bytes))) }
}
