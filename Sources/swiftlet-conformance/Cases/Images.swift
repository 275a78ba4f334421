import CRIProto
import SwiftProtobuf
import GRPC

/// Images: names, ids, pulls and removal.
let imageCases: [Case] = [
    Case(
        "images.absent-status", "ImageStatus of an absent image succeeds without an image",
        source: "kubelet kuberuntime_image.go",
        proves: ["ImageStatus", "ImageStatusRequest.image.image"]
    ) { trial in
        let reply = try await trial.call(
            CRIMethods.imageStatus, .with { $0.image.image = "localhost/no-such-image:\(trial.mark)" })
        try expect(!reply.hasImage, "there is an image: \(reply.image)")
    },
    Case(
        "images.absent-remove", "RemoveImage of an absent image succeeds", source: "api.proto RemoveImage",
        proves: ["RemoveImage"]
    ) { trial in
        try await trial.call(CRIMethods.removeImage, .with { $0.image.image = "localhost/no-such-image:\(trial.mark)" })
    },
    Case(
        "images.status", "ImageStatus has id, size, the tag that was pulled and a digest",
        source: "cri-client remote_image.go",
        proves: ["ImageStatus", "PullImage"]
    ) { trial in
        let name = trial.subject.settings.image
        let image = try await trial.call(CRIMethods.imageStatus, .with { $0.image.image = name }).image
        try expect(image.id.wholeMatch(of: /sha256:[0-9a-f]{64}/) != nil, "id \"\(image.id)\"")
        try expect(image.size > 0, "size 0")
        try expect(image.repoTags.contains(name), "repo_tags \(image.repoTags)")
        try expect(!image.repoDigests.isEmpty, "no repo_digests")
    },
    Case(
        "images.one-id", "PullImage, ImageStatus, ListImages, Container and ContainerStatus name the image by one id",
        source: "critest image_id_consistency.go",
        proves: [
            "PullImage", "ImageStatus", "ListImages", "ListImagesRequest.filter.image.image",
            "PullImageRequest.image.image",
        ]
    ) { trial in
        let name = trial.subject.settings.image
        let pulled = try await trial.call(CRIMethods.pullImage, .with { $0.image.image = name }).imageRef
        let id = try await trial.call(CRIMethods.imageStatus, .with { $0.image.image = name }).image.id
        try equal(pulled, id, "image_ref of PullImage")
        let byID = try await trial.call(CRIMethods.imageStatus, .with { $0.image.image = id }).image.id
        try equal(byID, id, "ImageStatus by id")
        let listed = try await trial.call(CRIMethods.listImages, .with { $0.filter.image.image = name }).images
        try equal(listed.map(\.id), [id], "ListImages with the name as filter")
        let container = try await trial.running()
        try equal(try await trial.status(container).imageID, id, "image_id of ContainerStatus")
        let entry = try await trial.call(CRIMethods.listContainers, .with { $0.filter.id = container.id }).containers
        try equal(entry.map(\.imageID), [id], "image_id of ListContainers")
    },
    Case(
        "images.stream", "StreamImages gives each image of ListImages once", source: "api.proto StreamImages",
        proves: ["StreamImages"], isAlone: true
    ) { trial in
        let listed = try await trial.call(CRIMethods.listImages, .init()).images.map(\.id).sorted()
        let streamed = try await trial.collect(CRIMethods.streamImages, .init()).flatMap(\.images).map(\.id).sorted()
        try equal(streamed, listed, "ids")
    },
    Case(
        "images.file-systems", "ImageFsInfo has a mount point, a time and what is used, for images and for containers",
        source: "api.proto ImageFsInfoResponse", proves: ["ImageFsInfo"]
    ) { trial in
        let reply = try await trial.call(CRIMethods.imageFsInfo, .init())
        for (name, systems) in [("image", reply.imageFilesystems), ("container", reply.containerFilesystems)] {
            try expect(!systems.isEmpty, "no \(name)_filesystems")
            for system in systems {
                try expect(!system.fsID.mountpoint.isEmpty && system.timestamp > 0, "\(name): \(system)")
            }
        }
        try expect(reply.imageFilesystems.contains { $0.usedBytes.value > 0 }, "no bytes are used")
    },
    Case(
        "images.remove", "After RemoveImage an image is in no status and no list; a pull brings it back",
        source: "critest image.go", proves: ["RemoveImage", "RemoveImageRequest.image.image"], isAlone: true
    ) { trial in
        let name = trial.subject.settings.otherImage
        try await trial.call(CRIMethods.pullImage, .with { $0.image.image = name }, timeout: .seconds(300))
        let id = try await trial.call(CRIMethods.imageStatus, .with { $0.image.image = name }).image.id
        try await trial.call(CRIMethods.removeImage, .with { $0.image.image = name })
        try expect(
            !(try await trial.call(CRIMethods.imageStatus, .with { $0.image.image = name }).hasImage),
            "still there by name")
        if id
            != (try await trial.call(CRIMethods.imageStatus, .with { $0.image.image = trial.subject.settings.image })
                .image.id)
        {
            try expect(
                !(try await trial.call(CRIMethods.listImages, .init()).images.contains { $0.id == id }),
                "still in the list")
        }
        try await trial.call(CRIMethods.removeImage, .with { $0.image.image = name })
        let again = try await trial.call(CRIMethods.pullImage, .with { $0.image.image = name }, timeout: .seconds(300))
        try equal(again.imageRef, id, "id after the second pull")
        _ = try await trial.call(
            CRIMethods.pullImage, .with { $0.image.image = trial.subject.settings.image }, timeout: .seconds(300))
    },
    Case(
        "images.concurrent-pulls", "Pulls of one image at once all succeed with one id", source: "api.proto PullImage",
        proves: ["PullImage"], isAlone: true
    ) { trial in
        let name = trial.subject.settings.otherImage
        try await trial.call(CRIMethods.removeImage, .with { $0.image.image = name })
        let ids = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<6 {
                group.addTask {
                    try await trial.call(CRIMethods.pullImage, .with { $0.image.image = name }, timeout: .seconds(300))
                        .imageRef
                }
            }
            var ids: Set<String> = []
            for try await id in group { ids.insert(id) }
            return ids
        }
        try equal(ids.count, 1, "ids")
        _ = try await trial.call(
            CRIMethods.pullImage, .with { $0.image.image = trial.subject.settings.image }, timeout: .seconds(300))
    },
    Case(
        "images.digest-has-no-tag", "An image pulled by digest is found by that digest", source: "critest image.go",
        proves: ["PullImage", "ImageStatus"]
    ) { trial in
        let name = trial.subject.settings.image
        let image = try await trial.call(CRIMethods.imageStatus, .with { $0.image.image = name }).image
        guard let digest = image.repoDigests.first else { throw fail("no repo_digests") }
        let pulled = try await trial.call(CRIMethods.pullImage, .with { $0.image.image = digest })
        try equal(pulled.imageRef, image.id, "id")
        try equal(
            try await trial.call(CRIMethods.imageStatus, .with { $0.image.image = digest }).image.id, image.id,
            "id by digest")
    },
    Case(
        "images.unreachable",
        "A pull from a registry that nobody serves is Unknown with a text that begins \"RegistryUnavailable\"",
        source: "cri-api errors.go, kubelet image_manager.go", proves: ["PullImage"]
    ) { trial in
        let status = try await trial.status(
            of: CRIMethods.pullImage, .with { $0.image.image = "127.0.0.1:1/none:\(trial.mark)" })
        try equal(status.code, .unknown, "PullImage (\(status.message))")
        try expect(status.message.hasPrefix("RegistryUnavailable"), "\"\(status.message)\"")
    },
    Case(
        "images.create-needs-local", "CreateContainer does not pull: an image that is not there fails it",
        source: "kubelet image_manager.go",
        proves: ["CreateContainer", "CreateContainerRequest.config.image.image"]
    ) { trial in
        let config = trial.containerConfig { $0.image.image = "localhost/no-such-image:\(trial.mark)" }
        try await trial.refused(
            CRIMethods.createContainer, Trial.request(config, in: try await trial.pod()),
            because: "the image is not there")
    },
]
