package import Linux
package import Model
import OCI

/// Why the store did not take, find or read an image.
package enum ImageStoreError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Manifest, configuration or layer break the specification, or try what no image may.
    case invalidImage(String)
    /// Larger than this machine's configuration allows.
    case limitExceeded(String)
    case unimplemented(String)
    /// Content that is not what its digest or size names.
    case corruptContent(String)
    /// No manifest of the image is for this platform.
    case noMatchingPlatform(String)
    case notFound(String)
    case ambiguous(String)
    /// The image was removed while it was being pulled or used.
    case removedMeanwhile(String)
    /// The disk of this path is full, or its quota used up.
    case noSpace(path: String)
    case failed(operation: String, path: String, Errno)

    package var description: String {
        switch self {
        case .invalidImage(let text), .limitExceeded(let text), .unimplemented(let text), .corruptContent(let text),
            .noMatchingPlatform(let text), .notFound(let text), .ambiguous(let text), .removedMeanwhile(let text):
            text
        case .noSpace(let path): "write below \"\(path)\": no space left on device"
        case .failed(let operation, let path, let errno): "\(operation) \"\(path)\": \(errno)"
        }
    }

    /// The error as a client of the CRI sees it.
    package var fault: Fault {
        switch self {
        case .invalidImage, .ambiguous: Fault(.invalidArgument, description)
        case .limitExceeded, .noSpace: Fault(.resourceExhausted, description)
        case .unimplemented: Fault(.unimplemented, description)
        case .corruptContent: Fault(.dataLoss, description)
        case .noMatchingPlatform, .notFound: Fault(.notFound, description)
        case .removedMeanwhile: Fault(.aborted, description)
        case .failed: Fault(.internal, description)
        }
    }

    init(_ operation: String, _ path: String, _ errno: Errno) {
        self =
            errno == .noSpace || errno == .quotaExceeded
            ? .noSpace(path: path) : .failed(operation: operation, path: path, errno)
    }

    init(_ error: ImageFormatError) {
        self =
            switch error {
            case .tooLarge: .limitExceeded(error.description)
            case .malformed: .invalidImage(error.description)
            case .unsupported: .unimplemented(error.description)
            }
    }
}

/// A path of an image for an error message: printable, and not too long.
func printable(_ path: some Collection<UInt8>) -> String {
    let text = String(decoding: path.prefix(256), as: UTF8.self)
    let scalars = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? "?" : $0 }
    return String(String.UnicodeScalarView(scalars)) + (path.count > 256 ? "..." : "")
}
