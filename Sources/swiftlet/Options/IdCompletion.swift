import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

extension CompletionKind {
    /// Ids of containers, with what each is where the shell shows that.
    static var containers: CompletionKind {
        .custom { words, _, _ in
            await IdCompletion.candidates(words) { session in
                try await session.containers().map { ($0.id, "\($0.metadata.name), \($0.state.word)") }
            }
        }
    }

    /// Ids of pods, likewise.
    static var pods: CompletionKind {
        .custom { words, _, _ in
            await IdCompletion.candidates(words) { session in
                try await session.pods().map { ($0.id, "\($0.metadata.namespace)/\($0.metadata.name)") }
            }
        }
    }

    /// Ids of containers and pods.
    static var subjects: CompletionKind {
        .custom { words, _, _ in
            await IdCompletion.candidates(words) { session in
                let pods = try await session.pods().map { ($0.id, "pod \($0.metadata.name)") }
                return try await session.containers().map { ($0.id, "container \($0.metadata.name)") } + pods
            }
        }
    }

    /// Names of images, or their digests.
    static var images: CompletionKind {
        .custom { words, _, _ in
            await IdCompletion.candidates(words) { session in
                try await session.images().flatMap { image in
                    (image.repoTags.isEmpty ? image.repoDigests : image.repoTags).map { ($0, sizeText(image.size)) }
                }
            }
        }
    }
}

/// Asks the runtime for what a shell offers. A runtime that is away offers nothing, and says nothing into a line being typed.
private enum IdCompletion {
    private static let itemsMax = 1000

    static func candidates(
        _ words: [String], _ ask: @escaping @Sendable (Session) async throws -> [(id: String, about: String)]
    ) async -> [String] {
        guard let context = CommandContext.current else { return [] }
        do {
            // The words are the command line so far, and the first is this program.
            let global = try GlobalOptions.parse(GlobalOptions.split(Array(words.dropFirst())).global)
            var configuration = try ClientConfiguration(options: global, environment: context.environment)
            // Nobody waits longer for a key, unless the line says so.
            if global.timeout == nil { configuration.timeout = .seconds(2) }
            configuration.retriesMax = 0
            configuration.traces = false
            var items: [(id: String, about: String)] = []
            try await Session.run(configuration, console: context.console) { items = try await ask($0) }
            return items.prefix(itemsMax).map { text(printable($0.id), printable($0.about)) }
        } catch {
            return []
        }
    }

    private static func text(_ id: String, _ about: String) -> String {
        switch CompletionShell.requesting {
        case .zsh?: id.split(separator: ":", omittingEmptySubsequences: false).joined(separator: "\\:") + ":" + about
        case .fish?: id + "\t" + about
        default: id
        }
    }
}
