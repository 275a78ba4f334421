extension Optional where Wrapped: ~Copyable {
    /// Lends the value, if there is one, without giving it away.
    package borrowing func lend<Result: ~Copyable, Failure: Error>(
        _ body: (borrowing Wrapped) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        switch self {
        case .some(let value): return try body(value)
        case .none: return nil
        }
    }
}
