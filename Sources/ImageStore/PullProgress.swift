package import Model

/// How far one caller's pull has come.
package struct PullProgress: Sendable, Equatable {
    package enum Phase: Sendable, Equatable {
        /// The registry is asked what the reference means.
        case resolving
        case fetching
        case done
        case failed(String)
    }

    /// The reference in full, with its registry and tag.
    package var reference: String
    /// Nanoseconds since 1970; no two pulls of one board have the same.
    package var startedAt: Int64
    package var phase: Phase
    /// In the order of the manifest; empty until that is known, and for an image that was there already.
    package var layers: [LayerProgress]

    package var hasEnded: Bool {
        switch phase {
        case .resolving, .fetching: false
        case .done, .failed: true
        }
    }
}

/// How far one layer has come.
package struct LayerProgress: Sendable, Equatable {
    package enum Phase: UInt8, Sendable {
        case waiting, fetching, unpacking, done, present
    }

    /// Of the compressed layer.
    package var digest: Digest
    package var bytesTotal: Int64
    package var bytesFetched: Int64
    package var phase: Phase
}
