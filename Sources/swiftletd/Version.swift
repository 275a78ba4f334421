/// The daemon's version, as `Version` of the CRI tells it (semantic versioning).
enum Version {
    static let current = "0.1.0"
}
