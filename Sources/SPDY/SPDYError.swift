/// Why a session has ended: what the peer did wrong, or what a limit forbade.
package struct SPDYError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

/// The reason inside RST_STREAM (SPDY/3, 2.6.3). Numbers that nobody has named are kept.
package struct SPDYResetStatus: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let protocolError = Self(rawValue: 1)
    package static let invalidStream = Self(rawValue: 2)
    package static let refusedStream = Self(rawValue: 3)
    package static let cancel = Self(rawValue: 5)
    package static let internalError = Self(rawValue: 6)
    package static let flowControlError = Self(rawValue: 7)
    package static let streamAlreadyClosed = Self(rawValue: 9)
}

/// The reason inside GOAWAY (SPDY/3, 2.6.6).
package struct SPDYGoAwayStatus: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let ok = Self(rawValue: 0)
    package static let protocolError = Self(rawValue: 1)
    package static let internalError = Self(rawValue: 2)
}
