import Foundation

/// What this host offers to the runtime beside us.
enum Host {
    /// Where the hierarchy of cgroup v2 is mounted.
    static let cgroups: String? = {
        guard let text = FileManager.default.contents(atPath: "/proc/self/mounts") else { return nil }
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count > 2, words[2] == "cgroup2" { return String(words[1]) }
        }
        return nil
    }()

    /// Whether cgroup v2 has such a controller here.
    static func has(_ controller: String) -> Bool {
        let file = (cgroups ?? "") + "/cgroup.controllers"
        let words = String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self)
        return words.split(whereSeparator: \.isWhitespace).contains(Substring(controller))
    }

    /// Skips a case if cgroup v2 has no such controller here.
    static func needs(_ controller: String) throws(Verdicted) {
        guard has(controller) else {
            throw skip("not on this host: the controller \(controller) of cgroup v2")
        }
    }
}
