import Linux
import TestKit

@testable import CNI

/// The internal reader of records, for tests that import the module as others do.
enum AttachmentRecordProbe {
    static func parse(_ bytes: [UInt8]) throws(CNIError) -> some Equatable {
        try AttachmentRecord(parsing: bytes, file: "record")
    }
}

extension PluginFixture {
    /// The daemon of the same node after a restart.
    static func sameNode(_ node: PluginFixture) throws -> CNI {
        var options = CNI.Options()
        options.configurationDirectory = node.root.path("net.d")
        options.pluginDirectories = [node.root.path("bin")]
        return try CNI(options, recordDirectory: node.root.path("cni"))
    }
}
