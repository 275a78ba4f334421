package import Linux

/// The launcher's program as one sealed file in memory, from which every supervisor runs (CVE-2019-5736): nothing that a
/// process does with it, and no upgrade on disk, changes what runs.
package final class SealedLauncher: Sendable {
    /// More than any build of the launcher; the shipped one is below 1 MiB.
    private static let bytesMax = 64 << 20

    /// Open for reading only.
    package let program: OwnedFD

    /// Reads the program, which has to be a regular file.
    package init(path: Path) throws(Errno) {
        let file = try OwnedFD.open(path, [.readOnly, .nonBlocking])
        guard try file.status().kind == .regular else { throw .invalidArgument }
        program = try MemoryFile.sealedCopy(of: file, max: Self.bytesMax, name: "swiftlet-launch")
    }
}
