import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import TestKit
import Testing

extension WholeDaemon {
    /// Many clients, clients that go, and messages of all sizes.
    @Suite(.serialized) struct Clients {}
}

extension WholeDaemon.Clients {
    private static let messageMax = 16 << 20

    @Test func `two hundred clients at once are all answered and leave nothing`() async throws {
        let node = try Node.current
        try await node.withPod("crowd") { pod in
            let container = try await pod.start()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let client = try await CRIClient(socket: node.socket)
                        do {
                            let version = try await client.call(CRIMethods.version, .init())
                            #expect(version.runtimeName == "swiftlet")
                            let pods = try await client.call(CRIMethods.listPodSandbox, .init())
                            #expect(pods.items.map(\.id) == [pod.id])
                            let status = try await client.call(
                                CRIMethods.containerStatus, .with { $0.containerID = container.id })
                            #expect(status.status.state == .containerRunning)
                            if number % 10 == 0 {
                                let executed = try await client.call(
                                    CRIMethods.execSync,
                                    .with {
                                        $0.containerID = container.id
                                        $0.cmd = ["echo", "\(number)"]
                                    })
                                #expect(executed.stdout == Data("\(number)\n".utf8))
                            }
                        } catch {
                            await client.close()
                            throw error
                        }
                        await client.close()
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `a client that vanishes while its pod is made leaves a pod or nothing, and a retry gives it`()
        async throws
    {
        let node = try Node.current
        var random = SeededGenerator.announced("clients that vanish")
        for _ in 0..<20 {
            try await node.leavesNothing {
                let config = try node.podConfig("vanished")
                let client = try await CRIClient(socket: node.socket)
                let call = Task {
                    do {
                        _ = try await client.call(CRIMethods.runPodSandbox, .with { $0.config = config })
                    } catch let status as GRPCStatus {
                        #expect(status.code == .unavailable || status.code == .cancelled, "\(status)")
                    }
                }
                // A moment by chance in the making of a pod: nothing is waited for.
                try await Task.sleep(for: .microseconds(Int.random(in: 0...60_000, using: &random)))
                await client.close()
                try await call.value
                let pod = try await node.runPod(config)
                let listed = try await node.call(CRIMethods.listPodSandbox, .init()).items
                #expect(listed.map(\.id) == [pod.id])
                #expect(try await pod.status().state == .sandboxReady)
                try await pod.stop()
                try await pod.remove()
            }
        }
    }

    @Test func `a client that vanishes at any moment of its ExecSync leaves no process`() async throws {
        let node = try Node.current
        var random = SeededGenerator.announced("probes without a client")
        try await node.withPod("forsaken") { pod in
            let container = try await pod.start()
            for _ in 0..<40 {
                let client = try await CRIClient(socket: node.socket)
                let call = Task {
                    do {
                        _ = try await client.call(
                            CRIMethods.execSync,
                            .with {
                                $0.containerID = container.id
                                $0.cmd = ["sleep", "2000"]
                            })
                    } catch let status as GRPCStatus {
                        #expect(status.code == .unavailable || status.code == .cancelled, "\(status)")
                    }
                }
                // A moment by chance, before, in and after the launch: nothing is waited for.
                try await Task.sleep(for: .microseconds(Int.random(in: 0...6_000, using: &random)))
                await client.close()
                try await call.value
            }
            try await eventually("no exec runs on") {
                node.processes(named: "sleep").isEmpty && container.execLeaves().allSatisfy { $0 == "exec-0" }
            }
        }
    }

    @Test func `a request over 16 MiB is refused with its size, and one below is answered`() async throws {
        let node = try Node.current
        try await node.withPod("large") { pod in
            func request(_ size: Int) throws -> Runtime_V1_CreateContainerRequest {
                var request = Runtime_V1_CreateContainerRequest.with {
                    $0.podSandboxID = pod.id
                    $0.config = pod.containerConfig()
                    $0.sandboxConfig = pod.config
                }
                let value = Data(repeating: UInt8(ascii: "x"), count: 100_000)
                while try request.serializedData().count + value.count + 64 < size {
                    let number = request.config.envs.count
                    request.config.envs.append(
                        .with {
                            $0.key = "V\(number)"
                            $0.value = value
                        })
                }
                let missing = size - (try request.serializedData().count)
                request.config.annotations["fill"] = String(repeating: "y", count: max(0, missing - 32))
                return request
            }
            let over = try await node.refusal(of: CRIMethods.createContainer, try request(Self.messageMax + 100_000))
            #expect(over.code == .resourceExhausted, "\(over)")
            // The connection is as good as before.
            #expect(try await node.call(CRIMethods.version, .init()).runtimeName == "swiftlet")
            let below = try await node.refusal(of: CRIMethods.createContainer, try request(Self.messageMax - 100_000))
            #expect([.ok, .invalidArgument, .resourceExhausted].contains(below.code), "\(below)")
            #expect(below.code != .resourceExhausted || !below.message.contains("message"), "\(below)")
            #expect(try await pod.run("true").status().exitCode == 0)
        }
    }
}
