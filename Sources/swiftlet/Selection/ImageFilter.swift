import CLICore
import CRIProto

/// A condition of `images --filter`, with crictl's meaning: before and since cut the sorted list at an image.
enum ImageFilter {
    case dangling(Bool)
    case reference(NamePattern)
    case before(String)
    case since(String)

    /// The conditions of --filter flags: as for crictl, commas stand between several. One within a regular expression does not.
    static func parse(_ flags: [String]) throws(Failure) -> [ImageFilter] {
        var conditions: [String] = []
        for flag in flags {
            for (index, part) in flag.split(separator: ",", omittingEmptySubsequences: false).enumerated() {
                let isNew = index == 0 || keys.contains { part.hasPrefix($0 + "=") }
                if isNew { conditions.append(String(part)) } else { conditions[conditions.count - 1] += "," + part }
            }
        }
        var filters: [ImageFilter] = []
        for condition in conditions { filters.append(try ImageFilter(parsing: condition)) }
        return filters
    }

    private static let keys = ["dangling", "reference", "before", "since"]

    private init(parsing text: String) throws(Failure) {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2, let key = parts.first, let value = parts.last else {
            throw .usage("--filter \"\(printable(text))\": expected KEY=VALUE")
        }
        switch key {
        case "dangling":
            guard let flag = Bool(value) else { throw .usage("--filter dangling: expected true or false") }
            self = .dangling(flag)
        case "reference": self = .reference(try NamePattern(value, flag: "--filter reference"))
        case "before": self = .before(value)
        case "since": self = .since(value)
        default: throw .usage("--filter \"\(printable(key))\": expected dangling, reference, before or since")
        }
    }

    func apply(to images: [Runtime_V1_Image]) throws(Failure) -> [Runtime_V1_Image] {
        switch self {
        case .dangling(let flag): return images.filter { $0.repoTags.isEmpty == flag }
        case .reference(let pattern):
            return images.filter { image in (image.repoTags + image.repoDigests).contains { pattern.matches($0) } }
        case .before(let name): return Array(images[(try position(of: name, in: images) + 1)...])
        case .since(let name): return Array(images[..<(try position(of: name, in: images))])
        }
    }

    private func position(of name: String, in images: [Runtime_V1_Image]) throws(Failure) -> Int {
        let bare = name.hasPrefix("sha256:") ? String(name.dropFirst("sha256:".count)) : name
        let index = images.firstIndex { image in
            image.repoTags.contains(name) || image.repoDigests.contains(name) || shortMatch(image.id, bare)
        }
        guard let index else { throw Failure("--filter: no image \"\(printable(name))\" is in the list") }
        return index
    }

    private func shortMatch(_ id: String, _ prefix: String) -> Bool {
        (id.hasPrefix("sha256:") ? id.dropFirst("sha256:".count) : id[...]).hasPrefix(prefix)
    }
}
