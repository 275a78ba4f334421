import CRIProto
import Foundation
import SwiftProtobuf
import Testing

@testable import CLICore

@Suite struct CRIFieldsTests {
    /// Reads the .proto text: comments and options go, then messages, fields and enums are lines of a simple form.
    private func table(of proto: String) -> [String] {
        var enums: [String: [String]] = [:]
        var messages: [(name: String, fields: [String])] = []
        var openEnum: String?
        for raw in proto.split(separator: "\n") {
            let line = raw.prefix(while: { $0 != ";" && $0 != "{" }).trimmingCharacters(in: .whitespaces)
            if line.hasPrefix("//") || line.hasPrefix("option ") { continue }
            var words = line.split(whereSeparator: { " <>,=".contains($0) }).map(String.init)
            if raw.contains("}") && !raw.contains("{") { openEnum = nil }
            guard let first = words.first else { continue }
            if first == "message", words.count == 2 {
                messages.append((words[1], []))
            } else if first == "enum", words.count == 2 {
                openEnum = words[1]
            } else if let name = openEnum, words.count >= 2, raw.contains(";") {
                enums[name, default: []].append(first)
            } else if !messages.isEmpty, raw.contains("="), raw.contains(";") {
                if first == "map" { words = ["map"] + words.dropFirst(3) }
                let isList = first == "repeated"
                if isList { words.removeFirst() }
                let last = messages.count - 1
                guard words.count >= 3, let type = words.first?.split(separator: ".").last else { continue }
                messages[last].fields.append("\(words[1]):\(isList ? "*" : "")\(type)")
            }
        }
        return enums.sorted { $0.key < $1.key }.map { "enum \($0.key) \($0.value.joined(separator: " "))" }
            + messages.map { (["message", $0.name] + $0.fields).joined(separator: " ") }
    }

    @Test("the table of fields is that of api.proto")
    func tableMatchesProto() throws {
        let root = Golden.packageRoot
        let proto = try String(contentsOf: root.appending(path: "proto/runtime/v1/api.proto"), encoding: .utf8)
        let lines = table(of: proto)
        let source =
            """
            // swift-format-ignore-file
            // Made from proto/runtime/v1/api.proto by the test "the table of fields is that of api.proto" with UPDATE_GOLDENS=1.
            let criFields = \"""

            """ + lines.joined(separator: "\n") + "\n\"\"\"\n"
        #expect(lines.count > 150)
        try Golden.compare(source, with: root.appending(path: "Sources/CLICore/CRIFields.swift"))
    }

    @Test("every message of every RPC has a shape, and so has everything in it")
    func shapesAreComplete() throws {
        var pending: [String] = []
        for method in CRIMethods.all {
            for type in [method.request, method.response] {
                pending.append(try #require(type.protoMessageName.split(separator: ".").last.map(String.init)))
            }
        }
        var seen: Set<String> = []
        while let name = pending.popLast() {
            guard seen.insert(name).inserted else { continue }
            let shape = try #require(MessageShape.of(name), "no shape of \(name)")
            for case .message(let inner) in shape.fields.map(\.kind) { pending.append(inner) }
        }
        #expect(seen.count > 100)
    }

    @Test("defaults that protobuf leaves out are printed, unset sub-messages are not")
    func defaultsArePrinted() throws {
        var response = Runtime_V1_ListPodSandboxResponse()
        response.items = [.with { $0.id = "a" }]
        let json = try JSONValue(message: response)
        guard case .array(let items) = json["items"], let item = items.first else { throw Failure("no items") }
        #expect(item["state"] == "SANDBOX_READY")
        #expect(item["createdAt"] == "0")
        #expect(item["labels"] == .object([]))
        #expect(item["metadata"] == nil)
        #expect(item["id"] == "a")
    }

    @Test("names of fields in the table are the names that SwiftProtobuf writes")
    func namesAgree() throws {
        let config = Runtime_V1_ContainerConfig.with {
            $0.cdiDevices = [.with { $0.name = "v/c=d" }]
            $0.mounts = [.with { $0.uidMappings = [.with { $0.length = 1 }] }]
        }
        let json = try JSONValue(message: config)
        let shape = try #require(MessageShape.of("ContainerConfig"))
        guard case .object(let members) = json else { throw Failure("not an object") }
        #expect(members.filter { shape.field(named: $0.name)?.jsonName != $0.name } == [])
        #expect(json["CDIDevices"] != nil)
    }
}
