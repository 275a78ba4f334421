package import LaunchProtocol
package import Model

/// Limits of a container's log, which the CRI has no field for: annotations of the pod, or of the container, which wins.
package enum LogRules {
    /// Bytes of records per second, on average: what is beyond that is dropped and counted in the log.
    package static let rate = "swiftlet.dev/log-rate-bytes-per-second"
    /// Bytes of one log file: after that, records are dropped and counted until the file is rotated.
    package static let size = "swiftlet.dev/log-file-bytes-max"

    /// More than any disk takes in a second, and has.
    private static let rateMax: UInt64 = 1 << 40
    private static let sizeMax: UInt64 = 1 << 60

    package static func limits(
        pod: [String: String] = [:], container: [String: String] = [:]
    ) throws(Fault) -> LogLimits {
        LogLimits(
            bytesPerSecond: try number(rate, max: rateMax, pod, container),
            fileBytesMax: try number(size, max: sizeMax, pod, container))
    }

    private static func number(
        _ key: String, max: UInt64, _ pod: [String: String], _ container: [String: String]
    ) throws(Fault) -> UInt64 {
        guard let text = container[key] ?? pod[key] else { return 0 }
        let isPlain = (1...20).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        guard isPlain, let value = UInt64(text), (1...max).contains(value) else {
            throw .invalid("annotations: \(NodePath.quoted(key)) is \(NodePath.quoted(text)), and not in 1...\(max)")
        }
        return value
    }
}
