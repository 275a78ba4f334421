/// A control frame, as far as this implementation looks at it; priorities, slots and associated streams are not kept.
enum ControlFrame: Equatable {
    case synStream(id: UInt32, headers: SPDYHeaders, isLast: Bool, isUnidirectional: Bool)
    case synReply(id: UInt32, headers: SPDYHeaders, isLast: Bool)
    case headers(id: UInt32, headers: SPDYHeaders, isLast: Bool)
    case rstStream(id: UInt32, status: SPDYResetStatus)
    case settings([Setting])
    case ping(UInt32)
    case goAway(lastID: UInt32, status: SPDYGoAwayStatus)
    case windowUpdate(id: UInt32, delta: UInt32)

    /// One entry of SETTINGS (SPDY/3, 2.6.4).
    struct Setting: Equatable {
        static let initialWindowSize: UInt32 = 7

        var id: UInt32
        var value: UInt32
    }
}

/// The types of control frames. The numbers in between were NOOP and, in SPDY/3 only, CREDENTIAL.
enum FrameType {
    static let synStream: UInt16 = 1
    static let synReply: UInt16 = 2
    static let rstStream: UInt16 = 3
    static let settings: UInt16 = 4
    static let ping: UInt16 = 6
    static let goAway: UInt16 = 7
    static let headers: UInt16 = 8
    static let windowUpdate: UInt16 = 9
}

enum FrameFormat {
    static let version: UInt16 = 3
    static let headBytes = 8
    /// Lengths have 24 bits.
    static let dataBytesMax = (1 << 24) - 1
    static let streamIDMax: UInt32 = 0x7fff_ffff
    static let windowDeltaMax: UInt32 = 0x7fff_ffff
    static let finalFlag: UInt8 = 1
    static let unidirectionalFlag: UInt8 = 2
    /// Every stream and the session start with this much (SPDY/3.1, 2.6.8).
    static let windowBytes = 64 << 10
}
