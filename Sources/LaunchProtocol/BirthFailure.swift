/// Why a supervisor did not come into the world: the one message on the report pipe of `Birth`.
package struct BirthFailure: Sendable, Equatable {
    /// Index of the failing step of the birth plan; `beforeSteps` for what comes before them, `afterSteps` for what comes after.
    package var stepIndex: UInt32
    package var errno: Int32
    /// What was being done, a path mostly; at most 1,024 bytes.
    package var detail: Bytes

    package static let beforeSteps = UInt32.max
    package static let afterSteps = UInt32.max - 1

    package init(stepIndex: UInt32, errno: Int32, detail: Bytes) {
        self.stepIndex = stepIndex
        self.errno = errno
        self.detail = detail
    }
}
