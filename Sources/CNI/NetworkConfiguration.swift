/// One plugin of a network configuration.
package struct PluginConfiguration: Sendable, Equatable {
    /// The program's file name in a plugin directory: never a path (CVE-2021-20206).
    package let type: String
    /// Names of the capability arguments that the plugin takes.
    package let capabilities: Set<String>
    /// The whole object as it was written.
    package let source: JSON
}

/// A network: plugins that run one after the other (CNI specification, section 1).
package struct NetworkConfiguration: Sendable, Equatable {
    package let name: String
    package let version: CNIVersion
    package let plugins: [PluginConfiguration]

    /// From the text of a `.conflist` (an object with `plugins`) or of a `.conf` or `.json` file (one plugin).
    package init(parsing bytes: [UInt8], file: String) throws(CNIError) {
        let document: JSON
        do {
            document = try JSON(parsing: bytes)
        } catch {
            throw .badConfiguration(file: file, reason: "not JSON: \(error)")
        }
        guard document.members != nil else { throw .badConfiguration(file: file, reason: "not a JSON object") }
        if file.hasSuffix(".conflist") || document["plugins"] != nil {
            try self.init(list: document, file: file)
        } else {
            try self.init(list: .object(["plugins": .array([document])]).inheriting(from: document), file: file)
        }
    }

    private init(list: JSON, file: String) throws(CNIError) {
        func bad(_ reason: String) -> CNIError { .badConfiguration(file: file, reason: reason) }

        guard let name = list["name"]?.text, !name.isEmpty else { throw bad("\"name\" is missing") }
        guard Self.isNetworkName(name) else {
            throw bad(
                "\"name\" \"\(name.prefix(64))\" is not a letter or digit followed by letters, digits, \"_\", \".\", \"-\""
            )
        }
        guard let entries = list["plugins"]?.elements, !entries.isEmpty else {
            throw bad("\"plugins\" is missing or empty")
        }
        guard entries.count <= 32 else { throw bad("more than 32 plugins") }

        self.name = name
        version = try Self.version(of: list, file: file)
        var plugins: [PluginConfiguration] = []
        for entry in entries { plugins.append(try PluginConfiguration(entry, file: file)) }
        self.plugins = plugins
    }

    /// `cniVersions` lists several (since 1.1.0); the newest that we speak is taken.
    private static func version(of list: JSON, file: String) throws(CNIError) -> CNIVersion {
        let listed = (list["cniVersions"]?.elements ?? []).compactMap(\.text)
        if let newest = listed.compactMap({ CNIVersion($0) }).max() { return newest }
        let stated = list["cniVersion"]
        guard stated != nil || listed.isEmpty else {
            throw .badConfiguration(
                file: file,
                reason: "none of \"cniVersions\" is supported (newest: \(CNIVersion.supported.last?.description ?? ""))"
            )
        }
        guard let stated else { return .unstated }
        guard let text = stated.text, let version = CNIVersion(text) else {
            throw .badConfiguration(
                file: file,
                reason: "\"cniVersion\" \(String(decoding: stated.bytes.prefix(64), as: UTF8.self)) is not supported")
        }
        return version
    }

    /// As the specification's section 1 has it; plugins use the name in paths.
    private static func isNetworkName(_ name: String) -> Bool {
        name.utf8.count <= 128
            && name.utf8.enumerated().allSatisfy { index, byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
                case 0x2d, 0x2e, 0x5f: index > 0
                default: false
                }
            }
    }
}

extension PluginConfiguration {
    fileprivate init(_ entry: JSON, file: String) throws(CNIError) {
        guard entry.members != nil else {
            throw .badConfiguration(file: file, reason: "an entry of \"plugins\" is not an object")
        }
        guard let type = entry["type"]?.text, Self.isFileName(type) else {
            throw .badConfiguration(file: file, reason: "\"type\" of a plugin must be a plain file name")
        }
        self.type = type
        capabilities = Set((entry["capabilities"]?.members ?? [:]).filter { $0.value == .bool(true) }.keys)
        source = entry
    }

    private static func isFileName(_ name: String) -> Bool {
        !name.isEmpty && name != "." && name != ".." && name.utf8.count <= 255
            && name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x2f && $0 != 0x7f }
    }
}

extension JSON {
    /// A single plugin's file carries the keys of the list itself.
    fileprivate func inheriting(from plugin: JSON) -> JSON {
        var list = self
        for key in ["name", "cniVersion", "cniVersions"] {
            if let value = plugin[key] { list = list.setting(key, value) }
        }
        return list
    }
}
