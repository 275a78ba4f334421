import FoundationEssentials
import NIOCore

/// How a remote process came to its end.
package enum RemoteOutcome: Equatable, Sendable {
    /// It ended, with this code.
    case exited(Int32)
    /// The runtime could not run it, or lost it: its words.
    case failed(String)
}

/// The last word of a server: metav1.Status as JSON, on a stream of its own.
struct RemoteStatus {
    private static let bytesMax = 64 << 10

    private var text = ByteBuffer()

    /// Takes bytes of it; false where there are too many.
    mutating func append(_ bytes: ByteBuffer) -> Bool {
        guard text.readableBytes + bytes.readableBytes <= Self.bytesMax else { return false }
        text.writeImmutableBuffer(bytes)
        return true
    }

    /// What it says; nil where nothing came.
    var outcome: Result<RemoteOutcome, StreamError>? {
        guard text.readableBytes > 0 else { return nil }
        let status: Fields
        do {
            status = try JSONDecoder().decode(Fields.self, from: Data(text.readableBytesView))
        } catch {
            return .failure(StreamError("the server's status of the command is not readable"))
        }
        if status.status == "Success" { return .success(.exited(0)) }
        if status.reason == "NonZeroExitCode",
            let cause = status.details?.causes?.first(where: { $0.reason == "ExitCode" }),
            let code = cause.message.flatMap({ Int32($0) })
        {
            return .success(.exited(code))
        }
        return .success(.failed(status.message ?? status.reason ?? "the server does not say why"))
    }

    private struct Fields: Decodable {
        struct Details: Decodable { var causes: [Cause]? }
        struct Cause: Decodable { var reason: String?, message: String? }

        var status: String?
        var reason: String?
        var message: String?
        var details: Details?
    }
}
