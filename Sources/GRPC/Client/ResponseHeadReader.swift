import NIOHPACK
import NIOHTTP2

/// Reads the status of a call from header blocks and from stream errors.
enum ResponseHeadReader {
    /// Checks the first header block of a response that goes on; nil means sound.
    static func failure(of headers: HPACKHeaders) -> GRPCStatus? {
        let httpStatus = headers.first(name: ":status") ?? ""
        guard httpStatus == "200" else { return status(ofHTTP: httpStatus) }
        let contentType = headers.first(name: "content-type") ?? ""
        guard contentType.hasPrefix("application/grpc") else {
            return GRPCStatus(code: .unknown, message: "the server answers with content-type \"\(contentType)\"")
        }
        return nil
    }

    /// The status in trailers, or in the only header block of a response.
    static func status(of headers: HPACKHeaders) -> GRPCStatus {
        guard let text = headers.first(name: "grpc-status") else {
            return failure(of: headers) ?? GRPCStatus(code: .unknown, message: "the server sent no grpc-status")
        }
        // A code from the future counts as UNKNOWN (statuscodes.md).
        let code = Int(text).flatMap(GRPCStatus.Code.init(rawValue:)) ?? .unknown
        return GRPCStatus(
            code: code, message: PercentEncoding.decode(headers.first(name: "grpc-message") ?? ""),
            details: headers.first(name: "grpc-status-details-bin").flatMap { Base64.decode($0) } ?? [])
    }

    /// https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md
    private static func status(ofHTTP httpStatus: String) -> GRPCStatus {
        let code: GRPCStatus.Code =
            switch httpStatus {
            case "400": .internal
            case "401": .unauthenticated
            case "403": .permissionDenied
            case "404": .unimplemented
            case "429", "502", "503", "504": .unavailable
            default: .unknown
            }
        return GRPCStatus(code: code, message: "the server answers with HTTP status \"\(httpStatus)\"")
    }

    /// What a reset by the server means (gRPC over HTTP/2, Errors).
    static func status(ofReset code: HTTP2ErrorCode) -> GRPCStatus {
        let mapped: GRPCStatus.Code =
            switch code {
            case .refusedStream: .unavailable
            case .cancel: .cancelled
            case .enhanceYourCalm: .resourceExhausted
            case .inadequateSecurity: .permissionDenied
            default: .internal
            }
        return GRPCStatus(code: mapped, message: "the server reset the call: \(code)")
    }
}
