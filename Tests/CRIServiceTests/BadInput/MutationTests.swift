import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import TestFakes
import TestKit
import Testing

/// Bad input: every field of every request, taken out, zeroed, maximised and spoiled. The answer is a right code and a
/// sentence that names the field; nothing traps and nothing is left half-made.
@Suite struct MutationTests {
    private static let expected: Set<GRPCStatus.Code> = [
        .ok, .invalidArgument, .notFound, .failedPrecondition, .unimplemented, .alreadyExists, .resourceExhausted,
    ]

    @Test(
        "bad input is refused with a code and a sentence that names the field", arguments: Requests.full.keys.sorted())
    func mutate(_ method: String) async throws {
        let schema = try Schema.load()
        let message = try #require(schema.requests[method])
        // A pod's many maps are tried with the most entries once, where they matter, and not again in copies of them.
        let most = method == "RunPodSandbox" || method == "UpdateContainerResources" ? 100_000 : 10_000
        let mutations = Mutation.all(of: message, in: schema, full: try #require(Requests.full[method]), entries: most)
        try await Fixture.run { fixture in
            let stage = try await Stage(fixture, for: method)
            let good = try await stage.call(try #require(Requests.full[method]))
            #expect(good.isOK, "the full request: \(good.code) \(good.message)")
            try await stage.undo(good)
            for (base, mutation) in mutations {
                let outcome = try await stage.call(base.with(mutation.path, mutation.value))
                #expect(Self.expected.contains(outcome.code), "\(mutation): \(outcome.code) \(outcome.message)")
                if Self.mustBeRefused(method, mutation) { #expect(!outcome.isOK, "\(mutation) is taken") }
                #expect(
                    outcome.message.utf8.count <= 4096, "\(mutation): a message of \(outcome.message.utf8.count) bytes")
                if outcome.code == .invalidArgument || outcome.code == .unimplemented {
                    #expect(
                        Self.names(outcome.message, mutation.path),
                        "\(mutation): \"\(outcome.message)\" does not name it")
                }
                try await stage.undo(outcome)
            }
            // The server is still well.
            #expect(try await fixture.call("Version").isOK)
            try await stage.end()
        }
    }

    @Test("bad input to what is not supported is refused all the same", arguments: Requests.unsupported.keys.sorted())
    func mutateUnsupported(_ method: String) async throws {
        let schema = try Schema.load()
        let full = try #require(Requests.unsupported[method])
        let mutations = Mutation.all(
            of: try #require(schema.requests[method]), in: schema, full: full, entries: 1000)
        try await Fixture.run { fixture in
            let stage = try await Stage(fixture, for: method)
            #expect(try await stage.call(full).code == .unimplemented)
            for (base, mutation) in mutations {
                let outcome = try await stage.call(base.with(mutation.path, mutation.value))
                #expect(
                    [.unimplemented, .notFound, .invalidArgument, .resourceExhausted].contains(outcome.code),
                    "\(mutation): \(outcome)")
                #expect(outcome.message.utf8.count <= 4096)
            }
            #expect(try await fixture.call("Version").isOK)
            try await stage.end()
        }
    }

    /// A field by its own name, or by that of a message that it is in: what is wrong with a part is wrong with the whole.
    private static func names(_ message: String, _ path: String) -> Bool {
        let parts = path.replacingOccurrences(of: "[]", with: "").split(separator: ".")
        let told = parts.filter { !["linux", "security_context"].contains($0) || $0 == parts.last }
        return told.contains {
            $0 == "config" ? message.hasPrefix("config") : message.contains($0 == "sysctls" ? "sysctl" : $0)
        }
    }

    /// NUL in a text, a value that an enumeration lacks, and ".." in a path are never taken.
    private static func mustBeRefused(_ method: String, _ mutation: Mutation) -> Bool {
        guard !isIgnored(method, mutation.path) else { return false }
        if mutation.isUnknownValue || mutation.what.contains("NUL") { return true }
        let name = mutation.path.split(separator: ".").last ?? ""
        let isPath = ["path", "paths", "directory", "dir", "parent"].contains { name.hasSuffix($0) }
        return isPath && (mutation.what.hasSuffix("..") || mutation.what.hasSuffix("/../x"))
    }

    /// Where the table of fields says that nothing depends on it: an image is selected by its name, a pull needs no pod, and
    /// deprecated fields give way to their successors.
    private static func isIgnored(_ method: String, _ path: String) -> Bool {
        switch method {
        case "ListImages", "StreamImages": path != "filter.image.image"
        case "PullImage":
            path.hasPrefix("sandbox_config.") && !path.hasSuffix("labels") && !path.hasSuffix("annotations")
        default: path.hasSuffix("seccomp_profile_path") || path.hasSuffix("apparmor_profile")
        }
    }
}

/// The objects around the calls of one method.
struct Stage {
    let fixture: Fixture
    let method: String
    private let pod: String
    private let container: String
    private let target: String
    private let leftovers: [String]

    init(_ fixture: Fixture, for method: String) async throws {
        self.fixture = fixture
        self.method = method
        guard method != "RunPodSandbox" else {
            (pod, container, target, leftovers) = ("", "", "", [])
            return
        }
        let labelled = Requests.pod.with("config.labels", ["app": "web"]).with(
            "config.linux.security_context.privileged", true
        ).with("config.metadata.name", "stage")
        pod = try await fixture.runPod(labelled)
        container = try await fixture.container(in: pod, named: "container", start: method != "StartContainer")
        target = try await fixture.container(in: pod, named: "target", start: true)
        leftovers = fixture.node.leftovers
    }

    func call(_ request: JSON) async throws -> Outcome {
        try await fixture.call(method, request.replacing(["$POD": pod, "$CONTAINER": container, "$TARGET": target]))
    }

    /// Takes away what a call made; a refused call must have left nothing.
    func undo(_ outcome: Outcome) async throws {
        guard method == "RunPodSandbox" || method == "CreateContainer" else { return }
        if outcome.isOK {
            let made = try JSONSerialization.jsonObject(with: Data(outcome.response.utf8)) as? [String: String]
            let id = JSON.string(made?["podSandboxId"] ?? made?["containerId"] ?? "")
            let removed =
                method == "RunPodSandbox"
                ? try await fixture.call("RemovePodSandbox", ["pod_sandbox_id": id])
                : try await fixture.call("RemoveContainer", ["container_id": id])
            #expect(removed.isOK, "remove what was made: \(removed.message)")
        }
        #expect(fixture.node.leftovers == leftovers)
    }

    func end() async throws {
        guard !pod.isEmpty else { return }
        let removed = try await fixture.call("RemovePodSandbox", ["pod_sandbox_id": .string(pod)])
        #expect(removed.isOK)
        #expect(fixture.node.leftovers == [])
    }
}
