import CLICore
import Linux

/// One side of `cp`.
enum CopyPlace: Equatable, Sendable {
    case container(String, path: String)
    case local(path: String)
    /// Standard input or output.
    case standard

    /// Reads "CONTAINER:PATH", "PATH" or "-". A local path with a colon begins with "/" or ".".
    init(_ text: String) throws(Failure) {
        guard text != "-" else {
            self = .standard
            return
        }
        guard !text.isEmpty else { throw .usage("a path to copy is empty") }
        guard text.first != "/", text.first != ".", let colon = text.firstIndex(of: ":") else {
            self = .local(path: text)
            return
        }
        let path = String(text[text.index(after: colon)...])
        guard !path.isEmpty, colon != text.startIndex else {
            throw .usage("\"\(printable(text))\": expected CONTAINER:PATH")
        }
        self = .container(String(text[..<colon]), path: path)
    }
}

/// A path as `cp` takes it: where it leads, and what its end asks for.
struct CopyPath {
    /// Without slashes and dots at its end; "/" or "." where nothing else is left.
    let path: String
    /// The last component; nil for a root and for what ends with "..": these have no name to copy by.
    let name: String?
    /// It ends with "/", so it has to be a directory.
    let wantsDirectory: Bool
    /// It ends with "/.": what is in the directory is meant.
    let meansContent: Bool

    init(_ text: String) {
        wantsDirectory = text.hasSuffix("/") || text.hasSuffix("/.") || text == "."
        meansContent = text.hasSuffix("/.") || text == "."
        var rest = text[...]
        while rest.hasSuffix("/") || rest.hasSuffix("/.") { rest = rest.dropLast() }
        path = rest.isEmpty ? "/" : String(rest)
        let last = rest.split(separator: "/").last.map(String.init)
        name = last == "." || last == ".." ? nil : last
    }

    /// The directory that the name is in.
    var parent: String {
        guard let name else { return path }
        let parent = path.dropLast(name.count)
        return parent.isEmpty ? "." : String(parent)
    }
}
