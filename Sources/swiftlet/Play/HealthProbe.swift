import CRIProto
import GRPC
import SwiftProtobuf
import SwiftletAPI

/// A probe by gRPC's health service, over a connection of its own and without TLS, as a kubelet makes it.
enum HealthProbe {
    /// Nil if the service is SERVING, else why it is not.
    static func check(host: String, port: Int, service: String, within limit: Duration) async -> String? {
        let start = ContinuousClock.now
        var configuration = GRPCClientConfiguration()
        configuration.connectTimeout = limit
        configuration.responseBytesMax = 4096
        do {
            let client = try await GRPCClient(to: .tcp(host: host, port: port), configuration: configuration)
            let left = max(.milliseconds(1), limit - (ContinuousClock.now - start))
            let result = await answer(client, service, within: left)
            await client.close()
            return result
        } catch {
            return "\(error)"
        }
    }

    private static func answer(_ client: GRPCClient, _ service: String, within limit: Duration) async -> String? {
        let request = GRPCHealthCheckRequest.with { $0.service = service }
        do throws(GRPCStatus) {
            let answer: GRPCHealthCheckResponse = try await client.unary(
                HealthMethods.check.path, request, timeout: limit)
            return answer.status == .serving ? nil : "the service is \(answer.status)"
        } catch {
            return "\(error)"
        }
    }
}
