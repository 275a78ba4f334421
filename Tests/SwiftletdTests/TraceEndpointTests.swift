import GRPC
import Model
import Testing

@testable import swiftletd

@Suite struct TraceEndpointTests {
    private func endpoint(_ text: String) throws -> ServerAddress? {
        var config = Config()
        config.tracing.endpoint = text
        return try config.tracingEndpoint()
    }

    @Test(
        arguments: [
            ("http://127.0.0.1:4317", ServerAddress.tcp(host: "127.0.0.1", port: 4317)),
            ("http://collector.monitoring.svc:55680/", .tcp(host: "collector.monitoring.svc", port: 55680)),
            ("http://localhost", .tcp(host: "localhost", port: 4317)),
            ("http://[fd00::1]:1", .tcp(host: "fd00::1", port: 1)),
            ("http://[fe80::1%eth0]", .tcp(host: "fe80::1%eth0", port: 4317)),
            ("unix:/run/otel.sock", .unix(path: "/run/otel.sock")),
            ("unix:///run/otel.sock", .unix(path: "/run/otel.sock")),
        ])
    func `an endpoint is a host with a port, or a socket's path`(text: String, address: ServerAddress) throws {
        #expect(try endpoint(text) == address)
    }

    @Test func `none is none`() throws { #expect(try endpoint("") == nil) }

    @Test(
        arguments: [
            "127.0.0.1:4317", "http://", "http://:4317", "http://host:0", "http://host:65536", "http://host:x",
            "http://host:4317/v1/traces", "http://user@host", "http://fd00::1", "http://[host]:1", "http://[::1",
            "http://host?x", "http://ho st", "grpc://host:1", "unix:", "unix:run/otel.sock", "unix:////run",
            "unix:/" + String(repeating: "x", count: 103), "http://" + String(repeating: "x", count: 254),
        ])
    func `anything else is refused with the key's name when the configuration is read`(text: String) {
        let file = "[tracing]\nendpoint = \"\(text)\"\n"
        do {
            _ = try Config.parse(file, name: "test")
            Issue.record("taken")
        } catch { #expect("\(error)".contains("tracing.endpoint")) }
    }

    @Test func `TLS is refused, and it is said what helps`() {
        do {
            _ = try endpoint("https://collector:4317")
            Issue.record("taken")
        } catch { #expect("\(error)".contains("TLS") && "\(error)".contains("collector on this node")) }
    }
}
