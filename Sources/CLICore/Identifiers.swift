/// Picks the one id that a prefix means, as git and docker do.
///
/// Runtimes take prefixes themselves, but stop and remove succeed for ids that do not exist (the CRI asks for that), which
/// would hide a typing mistake.
package func resolveID(_ prefix: String, among ids: [String], noun: String) throws(Failure) -> String {
    guard !prefix.isEmpty else { throw .usage("the id of a \(noun) is empty") }
    if ids.contains(prefix) { return prefix }
    let matches = ids.filter { $0.hasPrefix(prefix) }
    if let only = matches.first, matches.count == 1 { return only }
    let shown = printable(prefix)
    guard !matches.isEmpty else { throw Failure("no \(noun) has an id that begins with \"\(shown)\"") }
    let some = matches.sorted().prefix(4).map { $0.prefix(13) }.joined(separator: ", ")
    throw Failure("\"\(shown)\" could be \(matches.count) \(noun)s: \(some)\(matches.count > 4 ? ", ..." : "")")
}

/// The first 13 characters of an id, as crictl shows it; a digest loses its algorithm first.
package func shortID(_ id: String) -> String {
    let bare = id.hasPrefix("sha256:") ? id.dropFirst("sha256:".count) : id[...]
    return String(bare.prefix(13))
}
