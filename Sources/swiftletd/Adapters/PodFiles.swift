import Lifecycle
import Linux
import Model

/// The files that every container of a pod sees in /etc: hostname(5), hosts(5), resolv.conf(5).
enum PodFiles {
    /// No node file worth copying is larger.
    private static let nodeFileBytesMax = 1 << 20

    static func write(for record: PodRecord, into directory: String) throws {
        try Adapters.step("write files of pod", record.id.short) { () throws(Errno) in
            let etc = try OwnedFD.open(Path(directory), [.readOnly, .directory])
            try put(Array((record.hostname + "\n").utf8), as: "hostname", in: etc)
            try put(nodeFile("/etc/hosts"), as: "hosts", in: etc)
            let resolver: [UInt8]
            if let dns = record.config.dns {
                resolver = resolvConf(dns)
            } else {
                resolver = try nodeFile("/etc/resolv.conf")
            }
            try put(resolver, as: "resolv.conf", in: etc)
        }
    }

    /// A file that containers read whatever user they run as.
    private static func put(_ content: [UInt8], as name: Path, in directory: borrowing OwnedFD) throws(Errno) {
        let file = try directory.open(name, [.writeOnly, .create, .truncate, .noFollow], mode: 0o644)
        try file.changeMode(0o644)
        try file.writeAll(content)
        try file.close()
    }

    /// A node without the file gives pods an empty one.
    private static func nodeFile(_ path: Path) throws(Errno) -> [UInt8] {
        do throws(Errno) {
            return try OwnedFD.open(path, [.readOnly, .nonBlocking]).readToEnd(max: nodeFileBytesMax)
        } catch Errno.noEntry {
            return []
        }
    }

    static func resolvConf(_ dns: DNSConfig) -> [UInt8] {
        var text = ""
        if !dns.searches.isEmpty { text += "search " + dns.searches.joined(separator: " ") + "\n" }
        for server in dns.servers { text += "nameserver \(server)\n" }
        if !dns.options.isEmpty { text += "options " + dns.options.joined(separator: " ") + "\n" }
        return Array(text.utf8)
    }
}
