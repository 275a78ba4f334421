import CRIProto
import Foundation
import SwiftProtobuf
import TestKit
import Testing

extension WholeDaemon {
    /// What a service manager hears from the daemon that it started.
    @Suite(.serialized) struct Manager {}
}

extension WholeDaemon.Manager {
    @Test func `a manager hears of recovery, of readiness when calls are answered, signs of life, and of the end`()
        async throws
    {
        let node = try Node.current
        try await node.withPod("managed") { pod in
            _ = try await pod.start()
            try await node.endDaemon()
            let receiver = try DatagramReceiver(node.work.path(node.unique("notify")))
            try await node.startDaemon(environment: [
                "NOTIFY_SOCKET": receiver.name, "WATCHDOG_USEC": "2000000",
            ])
            let ready = try await receiver.wait(for: "READY=1")
            // Ready is ready: the very next call is answered.
            await node.disconnect()
            _ = try await node.call(CRIMethods.version, .init())
            #expect(receiver.all == ["STATUS=recovering", ready])
            #expect(ready == "READY=1\nSTATUS=1 pod, 1 container running")
            for _ in 1...2 { try await receiver.wait(for: "WATCHDOG=1") }

            // What the daemon starts inherits none of it.
            let second = try await pod.start()
            #expect(try await second.sh("env | grep -cE 'NOTIFY|WATCHDOG' || true") == "0")
            for process in [try node.supervisor(of: pod), try node.hostProcess(try await second.process())] {
                let environment = String(decoding: try readFile("/proc/\(process)/environ"), as: UTF8.self)
                #expect(!environment.contains("NOTIFY_SOCKET") && !environment.contains("WATCHDOG"))
            }
            try await receiver.wait(for: "STATUS=1 pod, 2 containers running")

            try await node.endDaemon(SIGTERM)
            try await receiver.wait(for: "STOPPING=1")
            #expect(receiver.all.last?.hasPrefix("STOPPING=1\nSTATUS=ending") == true)
            receiver.end()
            try await node.startDaemon()
        }
    }

    @Test func `a watchdog that is meant for another process gets no sign of life`() async throws {
        let node = try Node.current
        try await node.endDaemon()
        let receiver = try DatagramReceiver(node.work.path(node.unique("notify")))
        try await node.startDaemon(environment: [
            "NOTIFY_SOCKET": receiver.name, "WATCHDOG_USEC": "20000", "WATCHDOG_PID": "1",
        ])
        try await receiver.wait(for: "READY=1")
        try await node.endDaemon(SIGTERM)
        try await receiver.wait(for: "STOPPING=1")
        receiver.end()
        #expect(!receiver.all.contains("WATCHDOG=1"))
        try await node.startDaemon()
    }
}
