import Foundation
import GRPC
import SwiftProtobuf
import TestKit
import Testing

@Suite(.timeLimit(.minutes(2))) struct TCPTests {
    private typealias Text = Google_Protobuf_StringValue

    private let echo = GRPCMethod.unary("/test/Echo") { (request: Text, context) -> Text in
        Text(request.value + " " + context.metadata[":authority"].joined())
    }

    @Test(arguments: ["127.0.0.1", "localhost"])
    func `a client speaks with a server over TCP, which it finds by address or name`(host: String) async throws {
        let socket = try LoopbackSocket()
        let server = try await GRPCServer.start([echo], at: .descriptor(socket.descriptor))
        let client = try await GRPCClient(to: .tcp(host: host, port: socket.port))
        let answer: Text = try await client.unary("/test/Echo", Text("hello"), timeout: .seconds(60))
        #expect(answer.value == "hello \(host):\(socket.port)")
        await client.close()
        #expect(await server.shutdown(grace: .seconds(10)) == 0)
    }

    @Test(arguments: ["127.0.0.1", "localhost"])
    func `where nobody listens the connection is refused, and the error names the place`(host: String) async throws {
        let socket = try LoopbackSocket()
        defer { close(socket.descriptor) }
        do {
            let client = try await GRPCClient(to: .tcp(host: host, port: socket.port))
            await client.close()
            Issue.record("connected")
        } catch {
            #expect(error.reason == .refused)
            #expect("\(error)".contains("\"\(host):\(socket.port)\""))
        }
    }

    @Test func `an IPv6 address has brackets in what is shown`() {
        #expect("\(ServerAddress.tcp(host: "::1", port: 4317))" == "[::1]:4317")
    }
}
