/// Why a stream could not be had, or ended before its time: a sentence.
package struct StreamError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }

    /// An error of the network in plain words.
    init(_ operation: String, _ error: any Error) {
        self = error as? StreamError ?? StreamError("\(operation): \(error)")
    }
}
