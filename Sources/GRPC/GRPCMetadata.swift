import NIOHPACK

/// The headers of a request, except HTTP/2's own.
package struct GRPCMetadata: Sendable {
    let headers: HPACKHeaders

    init(_ headers: HPACKHeaders) {
        self.headers = headers
    }

    /// The values of a header in the order of the wire; names are compared without regard to case.
    package subscript(name: String) -> [String] { headers[name] }

    /// The decoded values of a header whose name ends in "-bin"; values that are not base64 are left out.
    package func binary(_ name: String) -> [[UInt8]] {
        // Several values may share one header line, joined by commas (gRPC over HTTP/2, Custom-Metadata).
        headers[name].flatMap { line in
            line.split(separator: ",", omittingEmptySubsequences: false).compactMap { Base64.decode($0.trimmed) }
        }
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var rest = self
        while rest.first == " " { rest.removeFirst() }
        while rest.last == " " { rest.removeLast() }
        return rest
    }
}
