// swift-tools-version: 6.2
import PackageDescription

// Two switches choose what this manifest shows to SwiftPM:
//   SWIFTLET_LAUNCHER=1     only the launcher's targets, in Embedded Swift, linked fully static (the binary that ships)
//   SWIFTLET_ONLY=A,B,...   only the named targets and what they need, for a quick build of one part
// Dependencies that the shown targets do not need are not resolved at all.
let embedded = Context.environment["SWIFTLET_LAUNCHER"] == "1"
let only: [String] =
    embedded ? ["swiftlet-launch"] : (Context.environment["SWIFTLET_ONLY"] ?? "").split(separator: ",").map(String.init)

let ours: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"), .treatAllWarnings(as: .error), .strictMemorySafety(),
    ] + (embedded ? [.enableExperimentalFeature("Embedded"), .unsafeFlags(["-wmo", "-Osize"])] : [])
// Test code and generated code: the same language rules without the memory-safety audit.
let relaxed: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
]

enum Kind { case library, executable, c, system(pkgConfig: String?, apt: [String]), generated, testLibrary, test }

struct Part {
    var name: String
    var kind: Kind
    var needs: [String]
    var packages: [(product: String, package: String)] = []
}

func library(_ name: String, _ needs: [String] = [], packages: [(String, String)] = []) -> Part {
    Part(name: name, kind: .library, needs: needs, packages: packages.map { (product: $0.0, package: $0.1) })
}

func test(_ name: String, _ needs: [String] = [], packages: [(String, String)] = []) -> Part {
    Part(name: name, kind: .test, needs: needs, packages: packages.map { (product: $0.0, package: $0.1) })
}

func executable(_ name: String, _ needs: [String] = [], packages: [(String, String)] = []) -> Part {
    Part(name: name, kind: .executable, needs: needs, packages: packages.map { (product: $0.0, package: $0.1) })
}

let protobuf = ("SwiftProtobuf", "swift-protobuf")
let crypto = ("Crypto", "swift-crypto")
let log = ("Logging", "swift-log")

let parts: [Part] = [
    // floor 0
    Part(name: "CLinux", kind: .c, needs: []),
    library("Model"),
    library("LaunchProtocol"),
    // floor 1
    library("Linux", ["CLinux"]),
    library("OCI", ["Model"]),
    Part(name: "CSeccomp", kind: .system(pkgConfig: "libseccomp", apt: ["libseccomp-dev"]), needs: []),
    Part(name: "CCap", kind: .system(pkgConfig: "libcap", apt: ["libcap-dev"]), needs: []),
    Part(name: "CZlib", kind: .system(pkgConfig: "zlib", apt: ["zlib1g-dev"]), needs: []),
    Part(name: "CInflate", kind: .system(pkgConfig: "libisal", apt: ["libisal-dev"]), needs: []),
    library("Seccomp", ["CSeccomp", "Model", "OCI"]),
    // floor 2
    library("LaunchEngine", ["Linux", "LaunchProtocol"]),
    library("Planner", ["CCap", "Model", "OCI", "LaunchProtocol", "Seccomp"]),
    library("Cgroups", ["Model", "Linux"]),
    library("StateStore", ["Model", "Linux"]),
    library("ImageStore", ["Model", "OCI", "Linux", "CInflate"], packages: [crypto]),
    library(
        "Registry", ["Model", "OCI"],
        packages: [
            ("AsyncHTTPClient", "async-http-client"), ("NIOCore", "swift-nio"), ("NIOHTTP1", "swift-nio"),
            ("NIOSSL", "swift-nio-ssl"), ("TOMLKit", "TOMLKit"), crypto,
        ]),
    library("CNI", ["Model", "Linux"]),
    // floor 3
    library(
        "GRPC",
        packages: [
            ("NIOCore", "swift-nio"), ("NIOPosix", "swift-nio"), ("NIOHTTP2", "swift-nio-http2"),
            ("NIOHPACK", "swift-nio-http2"), ("NIOHTTP1", "swift-nio"), protobuf,
        ]),
    library("SupervisorClient", ["Model", "Linux", "LaunchProtocol"]),
    library("SPDY", ["CZlib"], packages: [("NIOCore", "swift-nio")]),
    // floor 4
    library("Lifecycle", ["Model", "OCI", "LaunchProtocol", "Planner"], packages: [log]),
    library(
        "Streaming", ["Model", "Linux", "SPDY"],
        packages: [
            ("NIOCore", "swift-nio"), ("NIOPosix", "swift-nio"), ("NIOHTTP1", "swift-nio"),
            ("NIOWebSocket", "swift-nio"), ("NIOSSL", "swift-nio-ssl"),
        ]),
    library(
        "StreamClient", ["SPDY"],
        packages: [("NIOCore", "swift-nio"), ("NIOPosix", "swift-nio"), ("NIOSSL", "swift-nio-ssl")]),
    library("Play", ["Model"], packages: [("Yams", "Yams"), crypto]),
    // floor 5
    Part(name: "CRIProto", kind: .generated, needs: [], packages: [(product: "SwiftProtobuf", package: "swift-protobuf")]),
    Part(
        name: "SwiftletAPI", kind: .generated, needs: ["CRIProto"], packages: [(product: "SwiftProtobuf", package: "swift-protobuf")]),
    library(
        "CRIService", ["CRIProto", "GRPC", "Model", "Lifecycle", "OCI", "LaunchProtocol", "Planner", "Cgroups"],
        packages: [log, protobuf]),
    // floor 6
    executable("swiftlet-launch", ["LaunchEngine"]),
    executable(
        "swiftletd",
        [
            "CRIProto", "SwiftletAPI", "CRIService", "GRPC", "Lifecycle", "Planner", "Seccomp", "OCI", "Model", "LaunchProtocol", "Linux",
            "SupervisorClient", "Cgroups", "StateStore", "ImageStore", "Registry", "CNI", "Streaming",
        ],
        packages: [
            ("ArgumentParser", "swift-argument-parser"), ("TOMLKit", "TOMLKit"), log, protobuf,
            ("NIOCore", "swift-nio"), ("NIOPosix", "swift-nio"), ("NIOHTTP1", "swift-nio"),
        ]),
    library("CLICore", ["CRIProto", "GRPC"], packages: [protobuf, ("ArgumentParser", "swift-argument-parser")]),
    executable(
        "swiftlet", ["CLICore", "CRIProto", "SwiftletAPI", "GRPC", "Model", "Linux", "StreamClient", "Play"],
        packages: [
            ("ArgumentParser", "swift-argument-parser"), ("Yams", "Yams"), protobuf, ("UnixSignals", "swift-service-lifecycle"),
            ("NIOCore", "swift-nio"), ("NIOPosix", "swift-nio"), ("NIOSSL", "swift-nio-ssl"),
        ]),
    executable(
        "swiftlet-bench", ["CLICore", "CRIProto", "GRPC", "StreamClient"],
        packages: [("ArgumentParser", "swift-argument-parser"), protobuf, ("UnixSignals", "swift-service-lifecycle")]),
    executable(
        "swiftlet-conformance", ["CLICore", "CRIProto", "GRPC", "Linux"],
        packages: [("ArgumentParser", "swift-argument-parser"), protobuf]),
    // tests
    Part(name: "TestKit", kind: .testLibrary, needs: []),
    library("TestFakes", ["Lifecycle", "Model", "LaunchProtocol", "OCI", "Planner", "Seccomp"], packages: [log]),
    test("ModelTests", ["Model"]),
    test("LaunchProtocolTests", ["LaunchProtocol", "TestKit"]),
    test("LaunchEngineTests", ["LaunchEngine", "Linux", "LaunchProtocol"]),
    test("LinuxTests", ["Linux", "TestKit"]),
    test("OCITests", ["OCI", "Model", "TestKit"]),
    test("SeccompTests", ["Seccomp", "CSeccomp", "OCI", "Model", "TestKit"]),
    test("PlannerTests", ["Planner", "OCI", "Model", "LaunchProtocol", "Seccomp", "TestKit"]),
    test("CgroupsTests", ["Cgroups", "Linux", "Model", "TestKit"]),
    test("StateStoreTests", ["StateStore", "Linux", "Model", "TestKit"]),
    test("CNITests", ["CNI", "Linux", "Model", "TestKit"]),
    test("ImageStoreTests", ["ImageStore", "OCI", "Linux", "Model", "TestKit"], packages: [crypto]),
    test(
        "RegistryTests", ["Registry", "ImageStore", "OCI", "Model"],
        packages: [("NIOCore", "swift-nio"), ("NIOPosix", "swift-nio"), ("NIOHTTP1", "swift-nio"), ("NIOSSL", "swift-nio-ssl")]),
    test(
        "GRPCTests", ["GRPC", "TestKit"],
        packages: [("NIOCore", "swift-nio"), ("NIOPosix", "swift-nio"), ("NIOHPACK", "swift-nio-http2"), protobuf]),
    test(
        "CRIServiceTests",
        [
            "CRIService", "CRIProto", "GRPC", "Model", "Lifecycle", "LaunchProtocol", "OCI", "Planner", "Seccomp", "TestFakes",
            "TestKit", "Cgroups",
        ],
        packages: [protobuf, log]),
    test("LifecycleTests", ["Lifecycle", "Model", "OCI", "LaunchProtocol", "Planner", "TestFakes"]),
    test("SupervisorClientTests", ["SupervisorClient", "Linux", "LaunchProtocol", "Model", "TestKit"]),
    test("KernelTests", ["LaunchEngine", "Linux", "LaunchProtocol", "SupervisorClient", "TestKit", "Cgroups", "Model"]),
    test(
        "StreamClientTests", ["StreamClient", "SPDY", "TestKit"],
        packages: [("NIOCore", "swift-nio"), ("NIOPosix", "swift-nio"), ("NIOEmbedded", "swift-nio")]),
    test("PlayTests", ["Play", "Model"]),
    test(
        "SPDYTests", ["SPDY", "TestKit"],
        packages: [("NIOCore", "swift-nio"), ("NIOEmbedded", "swift-nio")]),
    test(
        "StreamingTests", ["Streaming", "StreamClient", "SPDY", "Linux", "CLinux", "CZlib", "Model", "TestKit"],
        packages: [
            ("NIOCore", "swift-nio"), ("NIOPosix", "swift-nio"), ("NIOEmbedded", "swift-nio"), ("NIOSSL", "swift-nio-ssl"),
        ]),
    test(
        "CLITests",
        [
            "CLICore", "swiftlet", "swiftlet-bench", "CRIProto", "SwiftletAPI", "GRPC", "Linux", "Model", "StreamClient", "Streaming", "Play", "TestKit",
        ],
        packages: [
            protobuf, ("ArgumentParser", "swift-argument-parser"), ("NIOCore", "swift-nio"), ("NIOPosix", "swift-nio"),
            ("NIOSSL", "swift-nio-ssl"),
        ]),
    test(
        "SwiftletdTests",
        ["swiftletd", "CRIProto", "SwiftletAPI", "GRPC", "Lifecycle", "ImageStore", "Model", "Linux", "TestKit"], packages: [log, protobuf]),
    test(
        "DaemonTests", ["CLICore", "CRIProto", "SwiftletAPI", "GRPC", "Model", "Linux", "TestKit", "swiftlet-conformance"],
        packages: [protobuf]),
]

let byName = Dictionary(uniqueKeysWithValues: parts.map { ($0.name, $0) })
func closure(of names: [String]) -> Set<String> {
    var seen: Set<String> = []
    var next = names
    while let name = next.popLast() {
        guard seen.insert(name).inserted else { continue }
        guard let part = byName[name] else { fatalError("SWIFTLET_ONLY names the unknown target \(name)") }
        next += part.needs
    }
    return seen
}
let shown = only.isEmpty ? parts : parts.filter { closure(of: only).contains($0.name) }

let sources: [String: Package.Dependency] = [
    "swift-nio": .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    "swift-nio-http2": .package(url: "https://github.com/apple/swift-nio-http2", exact: "1.46.0"),
    "swift-nio-ssl": .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
    "swift-protobuf": .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
    "swift-crypto": .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    "swift-log": .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    "swift-argument-parser": .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    "swift-service-lifecycle": .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    "async-http-client": .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
    "TOMLKit": .package(url: "https://github.com/LebJe/TOMLKit", exact: "0.6.0"),
    "Yams": .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
]

func target(_ part: Part) -> Target {
    let dependencies: [Target.Dependency] =
        part.needs.map { .target(name: $0) } + part.packages.map { .product(name: $0.product, package: $0.package) }
    switch part.kind {
    case .library:
        return .target(name: part.name, dependencies: dependencies, exclude: ["README.md"], swiftSettings: ours)
    case .generated:
        return .target(name: part.name, dependencies: dependencies, exclude: ["README.md"], swiftSettings: [])
    case .executable:
        let launcher = part.name == "swiftlet-launch" && embedded
        return .executableTarget(
            name: part.name, dependencies: dependencies, exclude: ["README.md"], swiftSettings: ours,
            linkerSettings: launcher ? [.unsafeFlags(["-Xclang-linker", "-static", "-lm"])] : [])
    case .c:
        return .target(name: part.name, dependencies: dependencies, exclude: ["README.md"])
    case .system(let pkgConfig, let apt):
        return .systemLibrary(name: part.name, pkgConfig: pkgConfig, providers: [.apt(apt)])
    case .testLibrary:
        return .target(name: part.name, dependencies: dependencies, exclude: ["README.md"], swiftSettings: relaxed)
    case .test:
        return .testTarget(name: part.name, dependencies: dependencies, swiftSettings: relaxed)
    }
}

let package = Package(
    name: "swiftlet",
    dependencies: Set(shown.flatMap { $0.packages.map(\.package) }).sorted().map { sources[$0]! },
    targets: shown.map(target),
    swiftLanguageModes: [.v6]
)
