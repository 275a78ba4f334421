import CLICore
import Foundation
import NIOCore
import Play

/// What containers may be told of this machine.
struct NodeFacts: Sendable {
    var name = "localhost"
    /// The first IPv4 address that is not a loopback's.
    var ip = "127.0.0.1"
    var memoryBytes: Int64 = 0
    var resolver = ResolverSettings()
    /// The text of its hosts file.
    var hosts = ""

    /// Asks the machine.
    static func read() -> NodeFacts {
        var facts = NodeFacts()
        bestEffort {
            let text = try String(contentsOfFile: "/proc/sys/kernel/hostname", encoding: .utf8)
            facts.name = text.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        bestEffort {
            let own = try System.enumerateDevices().compactMap(\.address?.ipAddress)
            if let ip = own.first(where: { $0.contains(".") && !$0.hasPrefix("127.") }) { facts.ip = ip }
        }
        bestEffort {
            let text = try String(contentsOfFile: "/etc/resolv.conf", encoding: .utf8)
            facts.resolver = ResolverSettings(parsing: text)
        }
        bestEffort { facts.hosts = try String(contentsOfFile: "/etc/hosts", encoding: .utf8) }
        facts.memoryBytes = Int64(clamping: ProcessInfo.processInfo.physicalMemory)
        return facts
    }
}
