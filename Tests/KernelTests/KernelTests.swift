import Testing

/// Real supervisors, containers and execs on the running kernel. All of them count what the process and the node hold, so
/// they run one after the other: `swift test --filter KernelTests`.
@Suite(.serialized, .enabled(if: TestHost.isUsable, "needs root, cgroup2, busybox-static and a built swiftlet-launch"))
struct KernelTests {}
