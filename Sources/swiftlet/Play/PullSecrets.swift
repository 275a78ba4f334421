import CLICore
import CRIProto
import Play
import SwiftProtobuf

/// The passwords of registries that a pod's imagePullSecrets hold.
///
/// Secrets of the type kubernetes.io/dockerconfigjson: {"auths": {"host[/path]": {"auth": base64 of user:password}}}; those
/// of kubernetes.io/dockercfg are the inner object alone.
enum PullSecrets {
    /// What is best for an image: the entry of its registry with the longest path; nil if there is none.
    static func credentials(for image: String, _ manifest: Manifest, _ pod: PodManifest) -> Runtime_V1_AuthConfig? {
        var best: (length: Int, entry: JSONValue)?
        let name = fullName(image)
        for secret in pod.pullSecrets {
            for (place, entry) in entries(manifest.secrets["\(pod.namespace)/\(secret)"] ?? [:]) {
                guard name == place || name.hasPrefix(place + "/") || name.hasPrefix(place + ":") else { continue }
                if place.utf8.count > best?.length ?? 0 { best = (place.utf8.count, entry) }
            }
        }
        return best.flatMap { authentication($0.entry) }
    }

    private static func entries(_ files: [String: [UInt8]]) -> [(place: String, entry: JSONValue)] {
        var found: [(place: String, entry: JSONValue)] = []
        for key in [".dockerconfigjson", ".dockercfg"] {
            bestEffort {
                guard let bytes = files[key] else { return }
                let tree = try JSONParser.parse(bytes)
                guard case .object(let members)? = key == ".dockercfg" ? tree : tree["auths"] else { return }
                found += members.map { (place($0.name), $0.value) }
            }
        }
        return found
    }

    /// The registry, and maybe a path in it, that an entry's name stands for: clients write addresses of every kind.
    private static func place(_ name: String) -> String {
        var place = name[...]
        for scheme in ["https://", "http://"] where place.hasPrefix(scheme) { place = place.dropFirst(scheme.count) }
        for version in ["/", "/v1", "/v2"] where place.hasSuffix(version) { place = place.dropLast(version.count) }
        return hub(String(place))
    }

    /// The image with its registry in front.
    private static func fullName(_ image: String) -> String {
        let first = image.split(separator: "/", maxSplits: 1).first ?? ""
        let hasHost = image.contains("/") && (first.contains(".") || first.contains(":") || first == "localhost")
        return hasHost ? hub(image) : "docker.io/" + (image.contains("/") ? image : "library/" + image)
    }

    /// Docker Hub has three names.
    private static func hub(_ text: String) -> String {
        for alias in ["index.docker.io", "registry-1.docker.io"] where text == alias || text.hasPrefix(alias + "/") {
            return "docker.io" + text.dropFirst(alias.count)
        }
        return text
    }

    private static func authentication(_ entry: JSONValue) -> Runtime_V1_AuthConfig? {
        var user = entry["username"]?.text ?? ""
        var password = entry["password"]?.text ?? ""
        if user.isEmpty, let bytes = (entry["auth"]?.text).flatMap(base64) {
            let words = String(decoding: bytes, as: UTF8.self).split(separator: ":", maxSplits: 1)
            guard words.count == 2 else { return nil }
            (user, password) = (String(words[0]), String(words[1]))
        }
        guard !user.isEmpty else { return nil }
        return .with {
            $0.username = user
            $0.password = password
        }
    }
}
