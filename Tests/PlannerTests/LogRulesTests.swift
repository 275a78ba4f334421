import LaunchProtocol
import Model
import Planner
import Testing

/// Limits of logs by annotation.
@Suite struct LogRulesTests {
    @Test("a limit is the container's, else the pod's, else none")
    func order() throws {
        #expect(try LogRules.limits(pod: ["note": "1"], container: [:]) == .none)
        let pod = [LogRules.rate: "1000", LogRules.size: "5"]
        #expect(try LogRules.limits(pod: pod) == LogLimits(bytesPerSecond: 1000, fileBytesMax: 5))
        #expect(
            try LogRules.limits(pod: pod, container: [LogRules.size: "1152921504606846976"])
                == LogLimits(bytesPerSecond: 1000, fileBytesMax: 1 << 60))
    }

    @Test(
        "what is no number within bounds is refused and named",
        arguments: [
            "", "0", "-1", "+1", "1.5", "1e3", "0x10", "1k", " 1", "1 ", "1\n", "\u{661}", "1152921504606846977",
            "18446744073709551615", "18446744073709551616", String(repeating: "1", count: 1_000_000), "1\0",
        ])
    func refused(_ value: String) {
        for key in [LogRules.rate, LogRules.size] {
            for isPod in [true, false] {
                do {
                    _ = try LogRules.limits(pod: isPod ? [key: value] : [:], container: isPod ? [:] : [key: value])
                    Issue.record("\(key) is taken")
                } catch {
                    #expect(error.code == .invalidArgument && error.message.contains(key))
                    #expect(error.message.utf8.count < 1_000)
                }
            }
        }
    }
}
