import CNI
import Foundation
import Linux
import Model
import TestKit
import Testing

/// A node of one test: directories for configuration, plugins and records, with plugins written as shell scripts.
final class PluginFixture: Sendable {
    let root: TemporaryRoot
    let cni: CNI

    static let result =
        #"{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","sandbox":"/run/netns/cni-1"}],"#
        + #""ips":[{"address":"10.9.0.2/24","gateway":"10.9.0.1","interface":0}]}"#
    /// Logs its call and answers ADD with a result.
    static let good = "log; [ $CNI_COMMAND != ADD ] || echo '\(result)'"

    init(limit: Duration = .seconds(30), change: (inout CNI.Options) -> Void = { _ in }) throws {
        root = try TemporaryRoot()
        try root.directory("bin")
        var options = CNI.Options()
        options.configurationDirectory = root.path("net.d")
        options.pluginDirectories = [root.path("nowhere"), root.path("bin")]
        options.limit = limit
        change(&options)
        cni = try CNI(options, recordDirectory: root.path("cni"))
    }

    /// A plugin that runs `script`; `log` in it writes what the plugin was called with to files named after the plugin
    /// and the command.
    func plugin(_ name: String, _ script: String, mode: Int = 0o755) throws {
        let text = """
            #!/bin/sh
            log() {
                echo "$CNI_COMMAND \(name)" >> "\(root.path("calls"))"
                env > "\(root.path(name))-$CNI_COMMAND.env"
                cat > "\(root.path(name))-$CNI_COMMAND.json"
            }
            \(script)

            """
        try root.write(text, to: "bin/" + name, mode: mode)
    }

    func configure(_ plugins: String..., version: String = "1.0.0", file: String = "10-net.conflist") throws {
        try root.directory("net.d")
        let list = plugins.map { "{\"type\":\"\($0)\",\"capabilities\":{\"portMappings\":true}}" }.joined(
            separator: ",")
        try root.write("{\"cniVersion\":\"\(version)\",\"name\":\"net\",\"plugins\":[\(list)]}", to: "net.d/" + file)
    }

    var calls: [String] {
        get throws {
            guard FileManager.default.fileExists(atPath: root.path("calls")) else { return [] }
            return try root.text("calls").split(separator: "\n").map(String.init)
        }
    }

    func input(_ plugin: String, _ command: String) throws -> JSON {
        try JSON(parsing: root.read("\(plugin)-\(command).json"))
    }

    func variables(_ plugin: String, _ command: String) throws -> [String: String] {
        var found: [String: String] = [:]
        for line in try root.text("\(plugin)-\(command).env").split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { found[String(parts[0])] = String(parts[1]) }
        }
        return found
    }

    /// Waits for an event that has no descriptor; the test's time limit ends a wait in vain.
    func until(_ isTrue: () throws -> Bool) async throws {
        while try !isTrue() { try await Task.sleep(for: .milliseconds(2)) }
    }

    /// Whether a process runs; one that waits to be waited for does not.
    static func runs(_ pid: Int32) -> Bool {
        do {
            let stat = String(decoding: try readFile("/proc/\(pid)/stat"), as: UTF8.self)
            return stat.split(separator: ")").last?.hasPrefix(" Z") == false
        } catch { return false }
    }
}
