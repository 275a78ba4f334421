import NIOHPACK

/// The headers of a request that decide what happens to it (gRPC over HTTP/2, Requests).
struct RequestHead {
    var method = ""
    var path = ""
    var contentType = ""
    var encoding = "identity"
    var timeout: Duration?
    private var isTimeoutMalformed = false

    init(_ headers: HPACKHeaders) {
        for (name, value, _) in headers {
            switch name {
            case ":method": method = value
            case ":path": path = value
            case "content-type": contentType = value
            case "grpc-encoding": encoding = value
            case "grpc-timeout":
                timeout = Timeout.parse(value)
                isTimeoutMalformed = timeout == nil
            default: break
            }
        }
    }

    /// A refusal that needs no look at the method table; the HTTP statuses are those of other gRPC servers.
    var refusal: (httpStatus: String, status: GRPCStatus)? {
        if method != "POST" {
            return ("405", GRPCStatus(code: .internal, message: "method \"\(method)\" is not POST"))
        }
        switch contentType {
        case "application/grpc", "application/grpc+proto": break
        case let type where type.hasPrefix("application/grpc;"),
            let type where type.hasPrefix("application/grpc+proto;"):
            break
        case let type where type.hasPrefix("application/grpc+"):
            return ("200", GRPCStatus(code: .unimplemented, message: "content-type \"\(type)\" is not supported"))
        default:
            return ("415", GRPCStatus(code: .invalidArgument, message: "content-type \"\(contentType)\" is not gRPC"))
        }
        if encoding != "identity" {
            return ("200", GRPCStatus(code: .unimplemented, message: "grpc-encoding \"\(encoding)\" is not supported"))
        }
        if isTimeoutMalformed {
            return ("400", GRPCStatus(code: .internal, message: "malformed grpc-timeout"))
        }
        return nil
    }
}

/// Response headers, made once.
enum ResponseHead {
    static let ok: HPACKHeaders = [":status": "200", "content-type": "application/grpc"]
    private static let okTrailers: HPACKHeaders = ["grpc-status": "0"]

    /// The trailers of a response that has begun.
    static func trailers(_ status: GRPCStatus) -> HPACKHeaders {
        if status.code == .ok, status.message.isEmpty, status.details.isEmpty { return okTrailers }
        var headers = HPACKHeaders()
        add(status, to: &headers)
        return headers
    }

    /// A whole response in one header block, for calls that fail before their first message.
    static func trailersOnly(_ status: GRPCStatus, httpStatus: String) -> HPACKHeaders {
        var headers: HPACKHeaders = [":status": httpStatus, "content-type": "application/grpc"]
        add(status, to: &headers)
        // Tells a client whose encoding was refused what would be accepted (gRPC compression specification).
        if status.code == .unimplemented { headers.add(name: "grpc-accept-encoding", value: "identity") }
        return headers
    }

    private static func add(_ status: GRPCStatus, to headers: inout HPACKHeaders) {
        headers.add(name: "grpc-status", value: "\(status.code.rawValue)")
        // Messages and details differ from call to call: they would only push useful entries out of the HPACK table.
        if !status.message.isEmpty {
            headers.add(name: "grpc-message", value: PercentEncoding.encode(status.message), indexing: .nonIndexable)
        }
        if !status.details.isEmpty {
            let details = Base64.encode(status.details)
            headers.add(name: "grpc-status-details-bin", value: details, indexing: .nonIndexable)
        }
    }
}
