import Foundation

/// A repeatable source of randomness (SplitMix64) for property tests: the same seed gives the same run.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    package let seed: UInt64
    private var state: UInt64

    package init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    /// Takes the seed from `SWIFTLET_SEED`, else a new one, and prints it so that a failure can be run again.
    package static func announced(_ test: String) -> SeededGenerator {
        let given = ProcessInfo.processInfo.environment["SWIFTLET_SEED"].flatMap { UInt64($0) }
        let seed = given ?? UInt64.random(in: 1...UInt64.max)
        print("\(test): SWIFTLET_SEED=\(seed)")
        return SeededGenerator(seed: seed)
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }

    /// Up to `countMax` random bytes out of `range`.
    package mutating func bytes(
        countMax: Int, countMin: Int = 0, in range: ClosedRange<UInt8> = 0...255
    ) -> [UInt8] {
        let count = Int.random(in: countMin...countMax, using: &self)
        return (0..<count).map { _ in UInt8.random(in: range, using: &self) }
    }

    /// One of the values; `values` is not empty.
    package mutating func pick<T>(_ values: [T]) -> T { values[Int.random(in: 0..<values.count, using: &self)] }

    package mutating func chance(oneIn n: Int) -> Bool { Int.random(in: 0..<n, using: &self) == 0 }
}
