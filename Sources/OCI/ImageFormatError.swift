/// Why a manifest, an index or an image configuration was not accepted.
package enum ImageFormatError: Error, Equatable, Sendable, CustomStringConvertible {
    /// More bytes than the document may have.
    case tooLarge(what: String, bytesMax: Int)
    /// Not what the image specification describes, or readable in two ways.
    case malformed(what: String, reason: String)
    /// Described by a specification, but refused or not implemented here.
    case unsupported(what: String)

    package var description: String {
        switch self {
        case .tooLarge(let what, let bytesMax): "read \(what): it is larger than \(bytesMax) bytes"
        case .malformed(let what, let reason): "read \(what): \(reason)"
        case .unsupported(let what): "\(what) is not supported"
        }
    }
}
