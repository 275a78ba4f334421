import Linux
import Model

/// What has to be known to release a pod from its network, whatever became of the configuration and of the namespace:
/// written before ADD, since a crash in the middle leaves addresses and interfaces behind, and again with ADD's result.
struct AttachmentRecord: Sendable, Equatable {
    var pod: PodID
    var networkNamespace: String
    var interface: String
    /// The value of CNI_ARGS.
    var arguments: String
    var capabilityArguments: [String: JSON]
    var configuration: NetworkConfiguration
    /// Nil until every plugin has succeeded.
    var result: JSON?
}

extension AttachmentRecord {
    private static let format = "1"

    /// `{"checksum": ..., "record": ...}`; the checksum is over the record as `JSON.bytes` writes it.
    var bytes: [UInt8] {
        var members: [String: JSON] = [
            "format": .string(Self.format), "pod": .string(pod.text), "networkNamespace": .string(networkNamespace),
            "interface": .string(interface), "arguments": .string(arguments),
            "capabilityArguments": .object(capabilityArguments),
            "configuration": configuration.document,
        ]
        if let result { members["result"] = result }
        let record = JSON.object(members)
        return JSON.object(["checksum": .string(Self.checksum(record)), "record": record]).bytes + Array("\n".utf8)
    }

    /// Total: any bytes give a record or `badRecord`.
    init(parsing bytes: [UInt8], file: String) throws(CNIError) {
        func bad(_ reason: String) -> CNIError { .badRecord(file: file, reason: reason) }

        let document: JSON
        do throws(JSONError) { document = try JSON(parsing: bytes) } catch { throw bad("not JSON: \(error)") }
        guard let record = document["record"], let sum = document["checksum"]?.text else { throw bad("no record") }
        guard sum == Self.checksum(record) else { throw bad("wrong checksum") }
        guard record["format"]?.text == Self.format else { throw bad("written by a newer version") }
        guard let pod = record["pod"]?.text.flatMap({ PodID($0) }),
            let networkNamespace = record["networkNamespace"]?.text,
            let interface = record["interface"]?.text, let arguments = record["arguments"]?.text,
            let capabilityArguments = record["capabilityArguments"]?.members,
            let configuration = record["configuration"]
        else { throw bad("a member is missing") }
        self.pod = pod
        self.networkNamespace = networkNamespace
        self.interface = interface
        self.arguments = arguments
        self.capabilityArguments = capabilityArguments
        self.configuration = try NetworkConfiguration(parsing: configuration.bytes, file: file)
        result = record["result"]
    }

    private static func checksum(_ record: JSON) -> String { String(CRC32C.checksum(record.bytes), radix: 16) }
}

extension NetworkConfiguration {
    /// A list that reads as this configuration.
    fileprivate var document: JSON {
        .object([
            "name": .string(name), "cniVersion": .string(version.description), "plugins": .array(plugins.map(\.source)),
        ])
    }
}
