import Model
import Synchronization

/// Bytes of all pulls together.
final class ByteCount: Sendable {
    private let bytes = Atomic<Int64>(0)

    func add(_ count: Int) { bytes.add(Int64(count), ordering: .relaxed) }

    var value: Int64 { bytes.load(ordering: .relaxed) }
}

/// Counts one layer on its way here. Whoever fetches it adds, whoever watches reads; neither waits for the other.
final class LayerMeter: Sendable {
    let digest: Digest
    let bytesTotal: Int64
    private let fetched = Atomic<Int64>(0)
    private let phase = Atomic<UInt8>(LayerProgress.Phase.waiting.rawValue)

    init(digest: Digest, bytesTotal: Int64) {
        self.digest = digest
        self.bytesTotal = max(0, bytesTotal)
    }

    /// A transfer begins, from the first byte.
    func begin() {
        fetched.store(0, ordering: .relaxed)
        phase.store(LayerProgress.Phase.fetching.rawValue, ordering: .relaxed)
    }

    /// Bytes came in. This is all that a pull nobody watches pays for.
    func add(_ bytes: Int) { fetched.add(Int64(bytes), ordering: .relaxed) }

    func set(_ next: LayerProgress.Phase) { phase.store(next.rawValue, ordering: .relaxed) }

    /// The layer is here; unless it was fetched, it had been before.
    func found() {
        _ = phase.compareExchange(
            expected: LayerProgress.Phase.waiting.rawValue, desired: LayerProgress.Phase.present.rawValue,
            ordering: .relaxed)
    }

    var progress: LayerProgress {
        let phase = LayerProgress.Phase(rawValue: phase.load(ordering: .relaxed)) ?? .waiting
        let bytes: Int64
        switch phase {
        case .waiting, .present: bytes = 0
        // A registry that sends more than its manifest says is refused a little later.
        case .fetching: bytes = min(fetched.load(ordering: .relaxed), bytesTotal)
        case .unpacking, .done: bytes = bytesTotal
        }
        return LayerProgress(digest: digest, bytesTotal: bytesTotal, bytesFetched: bytes, phase: phase)
    }
}

/// The layers of one image on its way here: shared by all callers that wait for the same.
final class PullMeter: Sendable {
    private let state = Mutex<[LayerMeter]>([])

    var layers: [LayerMeter] {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}

/// Values that several share, each for as long as somebody holds it.
struct SharedValues<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var entries: [Key: (value: Value, holders: Int)] = [:]

    mutating func take(_ key: Key, _ make: () -> Value) -> Value {
        let entry = entries[key] ?? (make(), 0)
        entries[key] = (entry.value, entry.holders + 1)
        return entry.value
    }

    mutating func giveBack(_ key: Key) {
        guard let entry = entries[key] else { return }
        entries[key] = entry.holders > 1 ? (entry.value, entry.holders - 1) : nil
    }

    var isEmpty: Bool { entries.isEmpty }
}
