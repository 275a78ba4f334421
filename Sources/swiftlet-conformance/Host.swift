import Foundation
import Linux

/// What this host offers to the runtime beside us.
enum Host {
    /// Where the hierarchy of cgroup v2 is mounted.
    static let cgroups: String? = mounts(of: ["cgroup2"]).first

    /// Removes an empty cgroup from every hierarchy, as a kubelet does with those of its pods.
    static func removeCgroup(_ path: String) {
        for mount in mounts(of: ["cgroup2", "cgroup"]) {
            do throws(Errno) {
                try OwnedFD.open(Path(mount), [.readOnly, .directory]).unlink(
                    Path(String(path.dropFirst())), directory: true)
            } catch {
                // Never made there, or still with a member: the runtime's own clean-up is none of ours.
                continue
            }
        }
    }

    private static func mounts(of types: Set<Substring>) -> [String] {
        guard let text = FileManager.default.contents(atPath: "/proc/self/mounts") else { return [] }
        return String(decoding: text, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            return words.count > 2 && types.contains(words[2]) ? String(words[1]) : nil
        }
    }

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
