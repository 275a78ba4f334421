/// One value for one file of a cgroup.
package struct LimitWrite: Equatable, Sendable {
    /// A plain file name such as `memory.max`.
    package var file: String
    package var value: String
    /// Nobody asked for this value in so many words and a kernel without the file behaves that way anyway, so that a
    /// missing file or controller is no failure.
    package var mayBeMissing = false

    package init(_ file: String, _ value: String, mayBeMissing: Bool = false) {
        self.file = file
        self.value = value
        self.mayBeMissing = mayBeMissing
    }

    /// The controller that makes the file: the name up to the first dot.
    package var controller: String { String(file.prefix { $0 != "." }) }

    /// Whether that is one (cgroup-v2.rst, "Controllers"), so that a host may lack it: a name that means nothing anywhere is a
    /// mistake on every host.
    package var isOfController: Bool { Self.controllers.contains(controller) }

    private static let controllers: Set = ["cpu", "cpuset", "dmem", "hugetlb", "io", "memory", "misc", "pids", "rdma"]
}

extension LimitWrite {
    /// The order in which an update applies `writes` to a cgroup whose files now read `current`: what grows, then what
    /// cannot be compared, then what shrinks. So no moment is stricter than both the old and the new limits together
    /// (memory that may go to swap finds the swap limit raised before memory.max goes down).
    package static func ordered(_ writes: [LimitWrite], current: [String: String]) -> [LimitWrite] {
        func rank(_ write: LimitWrite) -> Int {
            guard let old = current[write.file].flatMap(quantity), let new = quantity(write.value) else { return 1 }
            return new > old ? 0 : new < old ? 2 : 1
        }
        return (0...2).flatMap { wanted in writes.filter { rank($0) == wanted } }
    }

    /// A limit as a number; nil for lists and keyed values. The first field decides for `cpu.max`.
    private static func quantity(_ text: String) -> Double? {
        let fields = text.split(whereSeparator: { $0 == " " || $0 == "\n" })
        guard let first = fields.first, fields.count <= 2 else { return nil }
        if first == "max" { return .infinity }
        guard let number = UInt64(first) else { return nil }
        guard fields.count == 2 else { return Double(number) }
        guard let period = UInt64(fields[1]), period > 0 else { return nil }
        return Double(number) / Double(period)
    }
}
