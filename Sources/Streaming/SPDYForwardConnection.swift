import Model
import NIOCore
import SPDY

/// A port-forward over SPDY: each connection of the client is a pair of streams, one for data and one for an error, that name
/// the port and a common number.
final class SPDYForwardConnection: SPDYSessionDelegate {
    private struct Pair {
        var data: SPDYClientStream?
        var error: SPDYClientStream?
        var timer: Scheduled<Void>
    }

    private let core: StreamingCore
    private let pod: PodID
    /// Pairs of which one stream is there.
    private var pairs: [String: Pair] = [:]
    private var forwards: [ObjectIdentifier: ForwardedPort] = [:]

    init(_ pod: PodID, _ core: StreamingCore) {
        self.pod = pod
        self.core = core
    }

    func session(_ session: SPDYSession, opened stream: SPDYStream) {
        guard let port = stream.headers["port"].flatMap(UInt16.init), port > 0,
            let type = stream.headers["streamType"], type == "data" || type == "error"
        else { return stream.reset(.cancel) }
        let isData = type == "data"
        let request = Self.request(stream, isData: isData)
        var pair = pairs[request]
        if pair == nil {
            guard pairs.count + forwards.count < core.configuration.forwardsMax else {
                return stream.reset(.refusedStream)
            }
            pair = Pair(timer: timer(request))
        }
        guard var pair, isData ? pair.data == nil : pair.error == nil else {
            pair?.error?.write(
                ByteBuffer(string: "error processing stream for request: \(type) stream already assigned"))
            return stream.reset(.cancel)
        }
        let accepted = SPDYClientStream(stream)
        stream.accept()
        if isData { pair.data = accepted } else { pair.error = accepted }
        pairs[request] = pair
        guard let data = pair.data, let error = pair.error else { return }
        pairs[request] = nil
        pair.timer.cancel()
        forward(port, data, error)
    }

    func sessionEnded(_ session: SPDYSession, _ failure: SPDYError?) {
        for pair in pairs.values { pair.timer.cancel() }
        pairs = [:]
        for forward in forwards.values { forward.end() }
    }

    private func forward(_ port: UInt16, _ data: SPDYClientStream, _ error: SPDYClientStream) {
        let forward = ForwardedPort(pod, port, data: data, error: error, core) { [weak self] forward in
            self?.forwards[ObjectIdentifier(forward)] = nil
        }
        forwards[ObjectIdentifier(forward)] = forward
        forward.start()
    }

    /// A pair that stays half is told so, and given up.
    private func timer(_ request: String) -> Scheduled<Void> {
        let time = TimeAmount.nanoseconds(core.configuration.creationTimeout.nanoseconds)
        return core.loop.assumeIsolated().scheduleTask(in: time) { [weak self] in
            guard let pair = self?.pairs.removeValue(forKey: request) else { return }
            pair.error?.write(ByteBuffer(string: "timed out waiting for streams"))
            pair.error?.finish()
            pair.data?.reset()
        }
    }

    /// Old clients number no requests: their two streams come one after the other, the error's first.
    private static func request(_ stream: SPDYStream, isData: Bool) -> String {
        if let request = stream.headers["requestID"], !request.isEmpty { return "request \(request)" }
        return "stream \(Int(stream.id) - (isData ? 2 : 0))"
    }
}
