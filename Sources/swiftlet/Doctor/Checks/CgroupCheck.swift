/// The layout of cgroups and the controllers that limits need.
enum CgroupCheck {
    private static let controllers = [
        ("cpu", "CPU limits and weights"), ("memory", "memory limits and OOM reports"), ("pids", "limits of processes"),
        ("cpuset", "pinning to CPUs and memory nodes"), ("io", "statistics and weights of disk input and output"),
    ]

    static func run(_ node: some NodePort, _ setting: NodeSetting, _ findings: inout [Finding]) {
        let mounts = node.mounts()
        guard let unified = mounts.first(where: { $0.type == "cgroup2" }) else {
            return findings.add(
                .error, .cgroups, "cgroup2 is not mounted", breaks: "no pod can be made",
                mend: "boot with systemd.unified_cgroup_hierarchy=1, or mount -t cgroup2 cgroup2 /sys/fs/cgroup")
        }
        if unified.options.contains("ro") {
            findings.add(
                .error, .cgroups, "\(unified.point) is mounted read-only", breaks: "no pod can be made",
                mend: "mount -o remount,rw \(unified.point)")
        }
        let old = mounts.filter { $0.type == "cgroup" }
        let available = node.words(unified.point + "/cgroup.controllers")
        guard let available else {
            return findings.add(
                .error, .cgroups, "\(unified.point)/cgroup.controllers cannot be read", breaks: "no limit can be set",
                mend: "look at the permissions of \(unified.point)")
        }
        for (name, breaks) in controllers where !available.contains(name) {
            // Version 1 has another name for it (Documentation/admin-guide/cgroup-v1/blkio-controller.rst).
            let holder = old.first { $0.superOptions.contains(name == "io" ? "blkio" : name) }
            let isTolerated = setting.toleratesMissingControllers || name == "io"
            findings.add(
                isTolerated ? .warning : .error, .cgroups,
                "the controller \(name) is not in cgroup2" + (holder.map { ": version 1 has it at \($0.point)" } ?? ""),
                breaks: breaks,
                mend: holder == nil
                    ? "use a kernel with the controller, and no cgroup_disable=\(name) on its command line"
                    : "boot with systemd.unified_cgroup_hierarchy=1 and cgroup_no_v1=all")
        }
        if !old.isEmpty, controllers.allSatisfy({ available.contains($0.0) }) {
            findings.add(
                .note, .cgroups, "cgroup version 1 is mounted beside cgroup2, at \(old[0].point)",
                breaks: "nothing here; other programs may put limits where nobody looks",
                mend: "boot with cgroup_no_v1=all")
        }
        if node.kind("/proc/pressure/cpu") == nil {
            findings.add(
                .note, .cgroups, "the kernel measures no pressure (/proc/pressure is not there)",
                breaks: "the PSI columns of top and stats are empty", mend: "boot with psi=1")
        }
    }
}
