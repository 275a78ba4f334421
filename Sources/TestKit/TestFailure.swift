/// What a part of the test kit throws when the world is not as a test needs it, or as it should be afterwards.
package struct TestFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
