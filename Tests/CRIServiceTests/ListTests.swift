import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import TestFakes
import Testing

/// Lists: every part of a filter has to hold, and a stream gives what the list gives.
@Suite struct ListTests {
    @Test("pods are found by id or its prefix, state and exact labels, all of them at once; the stream agrees")
    func pods() async throws {
        try await Fixture.run { fixture in
            let web = try await fixture.runPod(Requests.pod.with("config.labels", ["app": "web", "tier": "front"]))
            let db = try await fixture.runPod(
                Requests.pod.with("config.labels", ["app": "web-db"]).with("config.metadata.name", "db"))
            #expect(try await fixture.call("StopPodSandbox", ["pod_sandbox_id": .string(db)]).isOK)
            let rows: [(JSON, [String])] = [
                ([:], [web, db]), (["filter": [:]], [web, db]), (["filter": ["id": .string(web)]], [web]),
                (["filter": ["id": .string(String(web.prefix(20)))]], [web]), (["filter": ["id": "zz"]], []),
                (["filter": ["state": ["state": 0]]], [web]), (["filter": ["state": ["state": 1]]], [db]),
                (["filter": ["label_selector": ["app": "web"]]], [web]),
                (["filter": ["label_selector": ["app": "we"]]], []),
                (["filter": ["label_selector": ["app": ""]]], []), (["filter": ["label_selector": ["other": ""]]], []),
                (["filter": ["label_selector": ["app": "web", "tier": "back"]]], []),
                (["filter": ["id": .string(web), "state": ["state": 1]]], []),
                (["filter": ["id": .string(web), "state": ["state": 0], "label_selector": ["tier": "front"]]], [web]),
                (["filter": ["id": .string(db), "label_selector": ["app": "web"]]], []),
            ]
            for (request, expected) in rows {
                let list = try Runtime_V1_ListPodSandboxResponse(
                    jsonString: try await fixture.call("ListPodSandbox", request).response)
                #expect(Set(list.items.map(\.id)) == Set(expected), "\(request.text)")
                let stream = try await fixture.call("StreamPodSandboxes", request)
                let streamed = try stream.response.split(separator: "\n").flatMap {
                    try Runtime_V1_StreamPodSandboxesResponse(jsonString: String($0)).podSandboxes
                }
                #expect(streamed == list.items, "\(request.text)")
            }
        }
    }

    @Test("containers are found by id, pod, state and exact labels, all of them at once; the stream agrees")
    func containers() async throws {
        try await Fixture.run { fixture in
            let pod = try await fixture.runPod()
            let other = try await fixture.runPod(Requests.pod.with("config.metadata.name", "other"))
            let running = try await fixture.container(in: pod, start: true)
            let created = try await fixture.container(in: other)
            let exited = try await fixture.container(in: pod, named: "exited", start: true)
            #expect(try await fixture.call("StopContainer", ["container_id": .string(exited)]).isOK)
            let all = [running, created, exited]
            let rows: [(JSON, [String])] = [
                ([:], all), (["filter": ["id": .string(String(running.prefix(20)))]], [running]),
                (["filter": ["pod_sandbox_id": .string(pod)]], [running, exited]),
                (["filter": ["pod_sandbox_id": .string(String(other.prefix(20)))]], [created]),
                (["filter": ["state": ["state": 0]]], [created]), (["filter": ["state": ["state": 1]]], [running]),
                (["filter": ["state": ["state": 2]]], [exited]), (["filter": ["state": ["state": 3]]], []),
                (["filter": ["pod_sandbox_id": .string(pod), "state": ["state": 0]]], []),
                (["filter": ["pod_sandbox_id": .string(other), "id": .string(running)]], []),
                (["filter": ["label_selector": ["app": "web"]]], []),
            ]
            for (request, expected) in rows {
                let list = try Runtime_V1_ListContainersResponse(
                    jsonString: try await fixture.call("ListContainers", request).response)
                #expect(Set(list.containers.map(\.id)) == Set(expected), "\(request.text)")
                let stream = try await fixture.call("StreamContainers", request)
                let streamed = try stream.response.split(separator: "\n").flatMap {
                    try Runtime_V1_StreamContainersResponse(jsonString: String($0)).containers
                }
                #expect(streamed == list.containers, "\(request.text)")
            }
        }
    }

    @Test("images: all of them, or the one that the filter names; the stream agrees")
    func images() async throws {
        try await Fixture.run { fixture in
            let rows: [(JSON, [String])] = [
                ([:], [FakeImageService.id, FakeImageService.otherID]),
                (["filter": ["image": ["image": ""]]], [FakeImageService.id, FakeImageService.otherID]),
                (["filter": ["image": ["image": "docker.io/library/web:1"]]], [FakeImageService.otherID]),
                (["filter": ["image": ["image": "absent"]]], []),
            ]
            for (request, expected) in rows {
                let list = try Runtime_V1_ListImagesResponse(
                    jsonString: try await fixture.call("ListImages", request).response)
                #expect(list.images.map(\.id) == expected)
                let stream = try await fixture.call("StreamImages", request)
                let streamed = try stream.response.split(separator: "\n").flatMap {
                    try Runtime_V1_StreamImagesResponse(jsonString: String($0)).images
                }
                #expect(streamed == list.images)
            }
        }
    }
}
