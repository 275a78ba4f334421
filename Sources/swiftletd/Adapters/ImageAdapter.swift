import CRIService
import Foundation
import ImageStore
import Lifecycle
import Linux
import Logging
import Model
import OCI
import Registry

/// The ports for images, of the lifecycle and of the CRI, by way of `ImageStore` and `Registry`.
struct ImageAdapter: ImagePort, ImageServicePort {
    let store: ImageStore
    let registry: RegistryClient
    let paths: Layout
    let writable: WritableUsage
    let log: Logger
    let statistics: PullStatistics

    // MARK: For containers

    func image(_ reference: String) async throws -> ResolvedImage {
        guard let record = try Adapters.fault({ () throws(ImageStoreError) in try store.status(reference) }) else {
            throw Fault.notFound("find image \"\(reference)\": not found")
        }
        return ResolvedImage(
            image: record.runtimeImage, reference: record.repoDigests.first ?? record.id.description)
    }

    func resolveUser(_ image: RuntimeImage, choice: UserChoice) async throws -> ResolvedUser {
        var text = choice.runAsUser.map { String($0) } ?? choice.runAsUsername ?? image.user
        if text.isEmpty { text = "0" }
        if let group = choice.runAsGroup { text += ":\(group)" }
        let user = try await faulted("find the container's user") { try await store.user(text, of: Self.digest(image)) }
        let merged = choice.groupsPolicy == .merge ? user.additionalGroups : []
        // The primary group is one of them: leaving it opens no file that denies it (CVE-2022-36109), and statuses show it.
        var groups = [user.gid]
        for group in merged + choice.supplementalGroups where !groups.contains(group) { groups.append(group) }
        return ResolvedUser(uid: user.uid, gid: user.gid, supplementalGroups: groups, home: user.home ?? "/")
    }

    func copyUp(
        _ image: RuntimeImage, path: String, intoContainer container: ContainerID, directory: String
    ) async throws {
        let target = paths.volume(container, directory: directory)
        try await faulted("fill volume \"\(path)\"") {
            try await store.withView(of: Self.digest(image)) { view in
                let open = try Adapters.step("open", target) { () throws(Errno) in
                    try OwnedFD.open(Path(target), [.readOnly, .directory])
                }
                try view.copyTree(path, into: open)
            }
        }
    }

    private static func digest(_ image: RuntimeImage) throws(Fault) -> Digest {
        guard let digest = Digest(image.id) else { throw Fault(.dataLoss, "image id \"\(image.id)\" is no digest") }
        return digest
    }

    func retain(_ image: RuntimeImage, for container: ContainerID) async throws {
        guard store.retain(layers: image.layers, for: container) else {
            throw Fault.precondition("image \"\(image.id)\" was removed meanwhile; pull it again")
        }
    }

    func release(_ container: ContainerID) async {
        do {
            try await store.release(container)
        } catch {
            log.warning("layers are not released", metadata: ["container": "\(container)", "error": "\(error)"])
        }
    }

    // MARK: For the CRI

    func pull(_ reference: String, credentials: PullCredentials) async throws -> String {
        try await statistics.counted { try await pullNow(reference, credentials) }
    }

    private func pullNow(_ reference: String, _ credentials: PullCredentials) async throws -> String {
        let name = try ImageReference(reference)
        let login = try RegistryCredentials(
            username: credentials.username, password: credentials.password, auth: credentials.auth,
            identityToken: credentials.identityToken, registryToken: credentials.registryToken,
            serverAddress: credentials.serverAddress)
        let ticket = store.board.begin(name)
        do {
            let id = try await faulted("pull image \"\(name)\"") {
                let session = try registry.session(for: name, credentials: login.isEmpty ? nil : login)
                return try await store.pull(name, from: session, ticket: ticket).id.description
            }
            store.board.end(ticket)
            return id
        } catch {
            store.board.end(ticket, error: "\(error)")
            throw error
        }
    }

    func list() async throws -> [ImageSummary] {
        try Adapters.fault { () throws(ImageStoreError) in try store.list() }.map(Self.summary)
    }

    func image(_ reference: String) async throws -> ImageSummary? {
        try Adapters.fault { () throws(ImageStoreError) in try store.status(reference) }.map(Self.summary)
    }

    func remove(_ reference: String) async throws {
        try await faulted("remove image \"\(reference)\"") { try await store.remove(reference) }
    }

    func usage() async throws -> (images: FilesystemUse, containers: FilesystemUse) {
        let images = store.usage()
        let now = Clock.realtimeNanoseconds
        let layers = try await writable.current()
        return (
            FilesystemUse(
                timestamp: now, mountpoint: images.path, usedBytes: UInt64(max(images.usedBytes, 0)),
                inodesUsed: UInt64(max(images.usedInodes, 0))),
            layers
        )
    }

    private static func summary(_ record: ImageRecord) -> ImageSummary {
        var uid: Int64?
        var username = ""
        switch record.user.user {
        case .number(let number): uid = Int64(number)
        case .name(let name): username = name
        case .invalid(let text): username = text
        }
        return ImageSummary(
            id: record.id.description, repoTags: record.repoTags, repoDigests: record.repoDigests,
            sizeBytes: UInt64(max(record.size, 1)), uid: uid, username: username, isPinned: record.isPinned,
            configurationJSON: configuration(record))
    }

    private static func configuration(_ record: ImageRecord) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(record.defaults), as: UTF8.self)
        } catch {
            return "{}"
        }
    }

    /// Errors of store and registry as clients see them; what a client gave up is cancelled.
    private func faulted<Value>(_ operation: String, _ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as ImageStoreError {
            throw error.fault
        } catch let error as RegistryError {
            throw error.fault
        } catch is CancellationError {
            throw Fault(.cancelled, "\(operation): the caller no longer waits")
        }
    }
}

extension RegistrySession: BlobSource {}
