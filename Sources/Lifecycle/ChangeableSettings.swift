import Synchronization

/// Settings that are looked at when they are needed, and so can change while the daemon runs.
package final class ChangeableSettings: Sendable {
    package struct Values: Equatable, Sendable {
        /// "copy": image VOLUMEs get a directory filled from the image. False: "ignore".
        package var copiesImageVolumes: Bool
        /// Bytes of each stream that ExecSync returns.
        package var execOutputBytesMax: Int
        /// How long ExecSync waits for pipes that descendants keep open after the process has ended.
        package var execDrain: Duration

        package init(copiesImageVolumes: Bool, execOutputBytesMax: Int, execDrain: Duration) {
            self.copiesImageVolumes = copiesImageVolumes
            self.execOutputBytesMax = execOutputBytesMax
            self.execDrain = execDrain
        }
    }

    private let values: Mutex<Values>

    package init(_ values: Values) { self.values = Mutex(values) }

    /// One moment's values, which belong together.
    package var current: Values { values.withLock { $0 } }

    /// What begins from now on goes by these.
    package func set(_ new: Values) { values.withLock { $0 = new } }
}
