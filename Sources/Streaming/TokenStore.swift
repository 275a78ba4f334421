import Model

/// The requests whose URLs have not been used yet, oldest first.
///
/// A URL is the whole permission to enter a container, so a token has 256 random bits, is good once and for a short time. Looking
/// it up takes the first 64 of them; the rest is compared without stopping at a difference, so that the time an answer takes
/// tells nothing of tokens that exist.
struct TokenStore<Request>: ~Copyable {
    enum TokenKind {}
    typealias Token = Identifier<TokenKind>

    private struct Entry {
        var token: Token
        var expiry: ContinuousClock.Instant
        var request: Request
    }

    private let life: Duration
    private let countMax: Int
    private var entries: [String: Entry] = [:]
    /// In order of expiry, for every token lives equally long; tokens that were used are still in it.
    private var order: [(key: String, expiry: ContinuousClock.Instant)] = []

    init(life: Duration, countMax: Int) {
        self.life = life
        self.countMax = countMax
    }

    var count: Int { entries.count }
    /// Places in the order of expiry, for tests.
    var orderCount: Int { order.count }

    mutating func add(_ request: Request, at now: ContinuousClock.Instant) throws(Fault) -> Token {
        sweep(at: now)
        guard entries.count < countMax else {
            throw Fault(.resourceExhausted, "make a streaming URL: \(entries.count) are waiting to be used")
        }
        let token = Token.random()
        let expiry = now + life
        entries[Self.key(token)] = Entry(token: token, expiry: expiry, request: request)
        order.append((Self.key(token), expiry))
        return token
    }

    /// The request that a token stands for, once.
    mutating func redeem(_ text: String, at now: ContinuousClock.Instant) -> Request? {
        guard let token = Token(text), let entry = entries[Self.key(token)] else { return nil }
        guard Self.isEqual(entry.token.text, token.text) else { return nil }
        entries[Self.key(token)] = nil
        return now < entry.expiry ? entry.request : nil
    }

    /// Forgets what has expired.
    mutating func sweep(at now: ContinuousClock.Instant) {
        let expired = order.prefix { $0.expiry <= now }
        for (key, expiry) in expired where entries[key]?.expiry == expiry { entries[key] = nil }
        order.removeFirst(expired.count)
        // Used tokens leave their place behind.
        if order.count > 2 * countMax { order.removeAll { entries[$0.key] == nil } }
    }

    private static func key(_ token: Token) -> String { String(token.text.prefix(16)) }

    private static func isEqual(_ a: String, _ b: String) -> Bool {
        guard a.utf8.count == b.utf8.count else { return false }
        return zip(a.utf8, b.utf8).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
