/// Seccomp and the kernel's security modules.
enum SecurityCheck {
    static func run(_ node: some NodePort, _ findings: inout [Finding]) {
        if let actions = node.words("/proc/sys/kernel/seccomp/actions_avail") {
            for action in ["allow", "errno", "kill_process", "log"] where !actions.contains(action) {
                findings.add(
                    .error, .security, "seccomp cannot do \"\(action)\"",
                    breaks: "containers whose profile needs it, the default profile among them",
                    mend: "use a newer kernel with CONFIG_SECCOMP_FILTER")
            }
        } else {
            findings.add(
                .error, .security, "the kernel filters no system calls",
                breaks: "every container that is not privileged: it is refused rather than run unprotected",
                mend: "use a kernel with CONFIG_SECCOMP_FILTER")
        }
        guard let modules = node.word("/sys/kernel/security/lsm")?.split(separator: ",").map(String.init) else {
            return findings.add(
                .note, .security, "/sys/kernel/security/lsm cannot be read",
                breaks: "nothing can be said of AppArmor and SELinux",
                mend: "mount -t securityfs securityfs /sys/kernel/security")
        }
        if modules.contains("selinux"), node.word("/sys/fs/selinux/enforce") == "1" {
            findings.add(
                .warning, .security, "SELinux is enforcing",
                breaks: "pods with SELinux options are refused, and labels of volumes are not changed",
                mend: "run such pods on another node, or set SELinux to permissive (setenforce 0)")
        }
        if modules.contains("apparmor") {
            findings.add(
                .note, .security, "AppArmor is on", breaks: "pods that name a Localhost profile are refused",
                mend: "use RuntimeDefault or Unconfined, which apply no profile")
        }
        if modules.contains("yama"), node.word("/proc/sys/kernel/yama/ptrace_scope") == "3" {
            findings.add(
                .note, .security, "kernel.yama.ptrace_scope is 3", breaks: "debuggers in containers",
                mend: "reboot with kernel.yama.ptrace_scope=1 or 2: 3 cannot be taken back")
        }
    }
}
