import Foundation
import Model

extension Config {
    /// The keys whose values differ, as the file has them ("registry.hosts_dir"), sorted.
    func differences(from other: Config) throws(Fault) -> [String] {
        let (mine, theirs) = (try leaves(), try other.leaves())
        return Set(mine.keys).union(theirs.keys).filter { mine[$0] != theirs[$0] }.sorted()
    }

    /// Every key with the text of its value. Out of the encoder, so that no key can be forgotten.
    private func leaves() throws(Fault) -> [String: String] {
        do {
            var leaves: [String: String] = [:]
            Self.collect(try JSONSerialization.jsonObject(with: JSONEncoder().encode(self)), "", &leaves)
            return leaves
        } catch {
            throw Fault(.internal, "compare configurations", cause: "\(error)")
        }
    }

    private static func collect(_ value: Any, _ name: String, _ leaves: inout [String: String]) {
        guard let table = value as? [String: Any] else { return leaves[name] = "\(value)" }
        for (key, value) in table { collect(value, name.isEmpty ? key : name + "." + key, &leaves) }
    }
}
