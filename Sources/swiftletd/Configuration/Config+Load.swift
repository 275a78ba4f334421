import Foundation
import Model
import TOMLKit

extension Config {
    /// Reads and checks a file; `nil` = the defaults. Throws `Fault` with a sentence that names file and key.
    static func load(path: String?) throws -> Config {
        guard let path else { return try Config().checked() }
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw Fault.invalid("read configuration \"\(path)\": \(error.localizedDescription)")
        }
        return try parse(text, name: path)
    }

    static func parse(_ text: String, name: String) throws -> Config {
        do {
            return try TOMLDecoder(strictDecoding: true).decode(Config.self, from: text).checked()
        } catch let error as UnexpectedKeysError {
            let keys = error.keys.keys.sorted().map { "\"\($0)\"" }.joined(separator: ", ")
            throw Fault.invalid("configuration \"\(name)\": unknown key \(keys)")
        } catch let error as TOMLParseError {
            throw Fault.invalid("configuration \"\(name)\": \(error.description)")
        } catch let error as DecodingError {
            throw Fault.invalid("configuration \"\(name)\": \(Self.sentence(error))")
        } catch let fault as Fault {
            throw Fault.invalid("configuration \"\(name)\": \(fault.message)")
        }
    }

    /// The configuration as a file that `load` reads.
    func toml() throws -> String { try TOMLEncoder().encode(self) }

    private static func sentence(_ error: DecodingError) -> String {
        switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context),
            .keyNotFound(_, let context):
            let key = context.codingPath.map(\.stringValue).joined(separator: ".")
            return "key \"\(key)\": \(context.debugDescription)"
        @unknown default: return "\(error)"
        }
    }

    private func checked() throws -> Config {
        for (key, path) in [("root", root), ("state", state), ("socket", socket), ("cgroup.own", cgroup.own)] {
            guard path.hasPrefix("/"), !path.split(separator: "/").contains(".."), path.count > 1 else {
                throw Fault.invalid("key \"\(key)\": \"\(path)\" is no absolute path")
            }
        }
        guard root != state, !root.hasPrefix(state + "/"), !state.hasPrefix(root + "/") else {
            throw Fault.invalid("keys \"root\" and \"state\": one is inside the other")
        }
        // An overlay's writable layer is named by a string of at most 255 bytes (fsconfig(2)), relative to root.
        guard socket.utf8.count <= 107 else { throw Fault.invalid("key \"socket\": longer than 107 bytes (unix(7))") }
        if !inspect.socket.isEmpty {
            guard inspect.socket.hasPrefix("/"), !inspect.socket.split(separator: "/").contains(".."),
                inspect.socket.utf8.count <= 103, inspect.socket != socket
            else {
                throw Fault.invalid(
                    "key \"inspect.socket\": \"\(inspect.socket)\" is no absolute path of at most 103 bytes other than \"socket\""
                )
            }
        }
        _ = try metricsAddress()
        _ = try tracingEndpoint()
        try choice("cgroup.driver", cgroup.driver, ["cgroupfs"])
        try choice("cni.ip_preference", cni.ipPreference, ["ipv4", "ipv6", "cni"])
        try choice("image.volumes", image.volumes, ["copy", "ignore"])
        try choice("log_format", logFormat, ["text", "json"])
        try choice("log_level", logLevel, ["trace", "debug", "info", "notice", "warning", "error", "critical"])
        for (key, text) in [("cgroup.prefix", cgroup.prefix), ("cgroup.suffix", cgroup.suffix)] {
            guard text.utf8.allSatisfy({ isNameByte($0) }), text.utf8.count <= 64 else {
                throw Fault.invalid("key \"\(key)\": only 64 letters, digits, \".\", \"-\" and \"_\" are allowed")
            }
        }
        for (key, value) in [
            ("cni.timeout_seconds", cni.timeoutSeconds),
            ("registry.progress_timeout_seconds", registry.progressTimeoutSeconds),
        ] {
            guard (1...3600).contains(value) else { throw Fault.invalid("key \"\(key)\": \(value) is not in 1...3600") }
        }
        guard (1...(16 << 20)).contains(exec.syncOutputBytesMax) else {
            throw Fault.invalid("key \"exec.sync_output_bytes_max\": not in 1...16777216 (the limit of a message)")
        }
        guard (0...60_000).contains(exec.syncDrainMilliseconds) else {
            throw Fault.invalid("key \"exec.sync_drain_milliseconds\": not in 0...60000")
        }
        try checkStreaming()
        _ = try runtimeDefaults()
        guard container.pidsLimit >= 0, container.shmBytes > 0 else {
            throw Fault.invalid("keys \"container.pids_limit\" and \"container.shm_bytes\": below zero")
        }
        for (name, limits) in container.rlimits {
            guard limits.count == 2, limits.allSatisfy({ $0 >= -1 }),
                limits[1] == -1 || (limits[0] != -1 && limits[0] <= limits[1])
            else { throw Fault.invalid("key \"container.rlimits.\(name)\": expects [soft, hard] with soft <= hard") }
        }
        return self
    }

    private func checkStreaming() throws {
        guard (0...65_535).contains(streaming.port) else {
            throw Fault.invalid("key \"streaming.port\": \(streaming.port) is not in 0...65535")
        }
        guard streaming.tlsCert.isEmpty == streaming.tlsKey.isEmpty else {
            throw Fault.invalid("keys \"streaming.tls_cert\" and \"streaming.tls_key\": one is set without the other")
        }
        for (key, path) in [("tls_cert", streaming.tlsCert), ("tls_key", streaming.tlsKey)] {
            guard path.isEmpty || path.hasPrefix("/") else {
                throw Fault.invalid("key \"streaming.\(key)\": \"\(path)\" is no absolute path")
            }
        }
        for (key, value, max) in [
            ("idle_timeout_seconds", streaming.idleTimeoutSeconds, 7 * 86_400),
            ("creation_timeout_seconds", streaming.creationTimeoutSeconds, 3600),
        ] {
            guard (1...max).contains(value) else {
                throw Fault.invalid("key \"streaming.\(key)\": \(value) is not in 1...\(max)")
            }
        }
    }

    private func choice(_ key: String, _ value: String, _ choices: [String]) throws {
        guard choices.contains(value) else {
            throw Fault.invalid("key \"\(key)\": \"\(value)\" is none of \(choices.joined(separator: ", "))")
        }
    }

    private func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: return true
        default: return false
        }
    }
}
