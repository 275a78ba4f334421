import CRIProto
import Foundation
import Play
import Testing

@testable import swiftlet

/// Passwords of registries in a manifest's Secrets.
@Suite struct PullSecretTests {
    private static func manifest(_ secrets: [(name: String, key: String, json: String)]) throws -> Manifest {
        let problems = ManifestProblems()
        let names = secrets.map { "{name: \($0.name)}" }.joined(separator: ", ")
        let objects = secrets.map {
            "\n---\nkind: Secret\nmetadata: {name: \($0.name)}\ndata: {\($0.key): \(Data($0.json.utf8).base64EncodedString())}"
        }
        let manifest = try ManifestReader.read(
            "kind: Pod\nmetadata: {name: p}\nspec: {imagePullSecrets: [\(names)], containers: [{name: a, image: i}]}"
                + objects.joined(), problems)
        manifest.checkReferences(problems)
        #expect(problems.errors == [])
        #expect(problems.unhonoured == [])
        return manifest
    }

    @Test(
        "the entry of the image's registry with the longest path counts",
        arguments: [
            ("r.example/team/app:1", "team:b"), ("r.example/app", "all:a"), ("r.example/teams/app", "all:a"),
            ("busybox", "hub:c:d"), ("docker.io/library/busybox@sha256:0", "hub:c:d"), ("other.example/x", nil),
            ("r.example.evil/x", nil), ("localhost:5000/x", "old:e"), ("bad.example/x", nil), ("empty.example/x", nil),
        ] as [(String, String?)])
    func choice(image: String, expected: String?) throws {
        let auth = { (text: String) in Data(text.utf8).base64EncodedString() }
        let manifest = try Self.manifest([
            (
                "new", ".dockerconfigjson",
                """
                {"auths": {"r.example": {"auth": "\(auth("all:a"))"},
                 "https://r.example/team": {"username": "team", "password": "b"},
                 "https://index.docker.io/v1/": {"auth": "\(auth("hub:c:d"))"},
                 "bad.example": {"auth": "%%%"}, "empty.example": {}}}
                """
            ), ("old", ".dockercfg", "{\"localhost:5000\": {\"auth\": \"\(auth("old:e"))\"}}"),
            ("broken", ".dockerconfigjson", "{"),
        ])
        let found = PullSecrets.credentials(for: image, manifest, try #require(manifest.pods.first))
        #expect(found.map { "\($0.username):\($0.password)" } == expected)
    }

    @Test("a Secret that the file does not have is named")
    func missing() throws {
        let problems = ManifestProblems()
        let manifest = try ManifestReader.read(
            "kind: Pod\nmetadata: {name: p}\nspec: {imagePullSecrets: [{name: s}], containers: [{name: a, image: i}]}",
            problems)
        manifest.checkReferences(problems)
        #expect(problems.errors == [])
        #expect(
            problems.unhonoured == [
                "the imagePullSecret \"s\" of pod \"p\" cannot be honoured: the file has no such Secret"
            ])
    }
}
