import CLICore
import CRIProto
import SwiftProtobuf

extension Session {
    /// All containers that a filter lets pass.
    func containers(_ filter: Runtime_V1_ContainerFilter = .init()) async throws -> [Runtime_V1_Container] {
        let request = Runtime_V1_ListContainersRequest.with { $0.filter = filter }
        return try await runtime.call(CRIMethods.listContainers, request, within: quick, to: "list containers")
            .containers
    }

    /// All pods that a filter lets pass.
    func pods(_ filter: Runtime_V1_PodSandboxFilter = .init()) async throws -> [Runtime_V1_PodSandbox] {
        let request = Runtime_V1_ListPodSandboxRequest.with { $0.filter = filter }
        return try await runtime.call(CRIMethods.listPodSandbox, request, within: quick, to: "list pods").items
    }

    /// All images, or those with a name.
    func images(named name: String = "") async throws -> [Runtime_V1_Image] {
        let request = Runtime_V1_ListImagesRequest.with { if !name.isEmpty { $0.filter.image.image = name } }
        return try await images.call(CRIMethods.listImages, request, within: quick, to: "list images").images
    }

    /// An image by name, digest or id; nil if the runtime does not have it.
    func image(_ name: String) async throws -> Runtime_V1_Image? {
        let request = Runtime_V1_ImageStatusRequest.with { $0.image.image = name }
        let response = try await images.call(
            CRIMethods.imageStatus, request, within: quick, to: "look up image \"\(name)\"")
        return response.hasImage ? response.image : nil
    }

    /// The full ids that prefixes mean, each once.
    func containerIDs(_ prefixes: [String]) async throws -> [String] {
        let all = try await containers().map(\.id)
        return try unique(prefixes.map { try resolveID($0, among: all, noun: "container") })
    }

    /// The full id of one container.
    func containerID(_ prefix: String) async throws -> String {
        try resolveID(prefix, among: try await containers().map(\.id), noun: "container")
    }

    /// The full ids that prefixes mean, each once.
    func podIDs(_ prefixes: [String]) async throws -> [String] {
        let all = try await pods().map(\.id)
        return try unique(prefixes.map { try resolveID($0, among: all, noun: "pod") })
    }

    /// Asks about several objects, some at a time, and returns the answers in their order; the first failure is thrown.
    func each<Value: Sendable>(
        _ ids: [String], _ body: @escaping @Sendable (String) async throws -> Value
    ) async throws -> [Value] {
        try await inParallel(ids, limit: 8) { id -> Result<Value, any Error> in
            do { return .success(try await body(id)) } catch { return .failure(error) }
        }.map { try $0.get() }
    }

    /// Does something with several objects, some at a time; one that fails does not stop the others.
    func forEach(_ ids: [String], _ body: @escaping @Sendable (String) async throws -> Void) async throws {
        let failures = await inParallel(ids, limit: 8) { id -> Failure? in
            do {
                try await body(id)
                return nil
            } catch {
                return error as? Failure ?? Failure("\(error)")
            }
        }.compactMap { $0 }
        guard let last = failures.last else { return }
        // The program says the last one when it ends.
        for failure in failures.dropLast() where !failure.message.isEmpty {
            try console.err("swiftlet: \(printable(failure.message))\n")
        }
        throw last
    }

    private func unique(_ ids: [String]) -> [String] {
        var seen: Set<String> = []
        return ids.filter { seen.insert($0).inserted }
    }
}
