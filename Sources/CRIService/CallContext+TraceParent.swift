import GRPC
import Lifecycle

extension CallContext {
    /// The caller's span (W3C Trace Context), as a kubelet with tracing sends it; nil without a header, or with one that is not
    /// well-formed, or with several.
    var traceParent: TraceParent? {
        let headers = metadata["traceparent"]
        guard let header = headers.first, headers.count == 1 else { return nil }
        return TraceParent(header: header, state: metadata["tracestate"].joined(separator: ","))
    }
}
