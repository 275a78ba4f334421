import Foundation

/// Where the launcher under test lies.
package enum LaunchBinary {
    /// `SWIFTLET_LAUNCH`, else `swiftlet-launch` beside the running test bundle, if it is there.
    package static var path: String? {
        if let given = ProcessInfo.processInfo.environment["SWIFTLET_LAUNCH"], !given.isEmpty { return given }
        guard let bundle = CommandLine.arguments.first else { return nil }
        let built = (bundle as NSString).deletingLastPathComponent + "/swiftlet-launch"
        return FileManager.default.isExecutableFile(atPath: built) ? built : nil
    }
}
