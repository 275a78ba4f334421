import CRIProto
import SwiftProtobuf
import GRPC
import Foundation

/// Pods: namespaces, names, network.
let sandboxCases: [Case] = [
    Case(
        "sandbox.ip", "A pod has an address, its containers have it at eth0, and loopback is up",
        source: "api.proto PodSandboxNetworkStatus",
        proves: ["RunPodSandbox", "PodSandboxStatus"]
    ) { trial in
        let container = try await trial.running()
        let ip = try await trial.podStatus(container.pod).network.ip
        try expect(!ip.isEmpty, "no ip")
        let addresses = try await trial.sh("ip -o addr show", in: container)
        try expect(addresses.contains("\(ip)/"), "\(ip) is not among \(addresses)")
        try expect(addresses.contains("127.0.0.1/8"), "no loopback in \(addresses)")
    },
    Case(
        "sandbox.ips-differ", "Two pods have two addresses", source: "CNI specification", proves: ["RunPodSandbox"]
    ) { trial in
        let (one, two) = (try await trial.pod(), try await trial.pod())
        let ips = [try await trial.podStatus(one).network.ip, try await trial.podStatus(two).network.ip]
        try expect(ips[0] != ips[1], "both have \(ips[0])")
    },
    Case(
        "sandbox.host-network", "A pod with the node's network has no address of its own, and the node's interfaces",
        source: "api.proto NamespaceOption",
        proves: ["RunPodSandboxRequest.config.linux.security_context.namespace_options.network"]
    ) { trial in
        let pod = try await trial.pod {
            $0.linux.securityContext.namespaceOptions.network = .node
            $0.hostname = ""
        }
        try equal(try await trial.podStatus(pod).network.ip, "", "ip")
        let container = try await trial.start(in: pod) { $0.linux.securityContext.namespaceOptions.network = .node }
        let own = try await trial.running()
        let (shared, apart) = (
            try await trial.sh("readlink /proc/self/ns/net", in: container),
            try await trial.sh("readlink /proc/self/ns/net", in: own)
        )
        try expect(shared != apart, "the network namespace is that of a pod")
    },
    Case(
        "sandbox.shared-network", "Containers of a pod share network, IPC and host name, not processes",
        source: "api.proto NamespaceOption",
        proves: [
            "RunPodSandboxRequest.config.linux.security_context.namespace_options.ipc",
            "CreateContainerRequest.config.linux.security_context.namespace_options.pid",
        ]
    ) { trial in
        let one = try await trial.running()
        let two = try await trial.start(in: one.pod)
        for (name, same) in [("net", true), ("ipc", true), ("uts", true), ("pid", false), ("mnt", false)] {
            let first = try await trial.sh("readlink /proc/self/ns/\(name)", in: one)
            let second = try await trial.sh("readlink /proc/self/ns/\(name)", in: two)
            try equal(first == second, same, "\(name) is shared")
        }
    },
    Case(
        "sandbox.shared-pid", "Containers of a pod with a PID namespace of the pod see each other",
        source: "api.proto NamespaceMode",
        proves: ["RunPodSandboxRequest.config.linux.security_context.namespace_options.pid"]
    ) { trial in
        let pod = try await trial.pod { $0.linux.securityContext.namespaceOptions.pid = .pod }
        let one = try await trial.start(in: pod) { $0.linux.securityContext.namespaceOptions.pid = .pod }
        let two = try await trial.start(in: pod) { $0.linux.securityContext.namespaceOptions.pid = .pod }
        let (first, second) = (
            try await trial.sh("readlink /proc/self/ns/pid", in: one),
            try await trial.sh("readlink /proc/self/ns/pid", in: two)
        )
        try equal(first, second, "PID namespace")
        try expect(
            try await trial.sh("echo $PPID; cat /proc/1/cmdline | tr '\\0' ' '", in: one).contains("usleep") == false,
            "process 1 is the container's")
    },
    Case(
        "sandbox.own-pid", "In a PID namespace of its own a container's program is process 1",
        source: "api.proto NamespaceMode",
        proves: ["CreateContainerRequest.config.linux.security_context.namespace_options.pid"]
    ) { trial in try equal(try await trial.output(of: "echo $$"), "1", "pid") },
    Case(
        "sandbox.target-pid", "A container may join the processes of another one of its pod",
        source: "api.proto NamespaceOption.target_id",
        proves: ["CreateContainerRequest.config.linux.security_context.namespace_options.target_id"]
    ) { trial in
        let one = try await trial.running()
        let two = try await trial.start(in: one.pod) {
            $0.linux.securityContext.namespaceOptions.pid = .target
            $0.linux.securityContext.namespaceOptions.targetID = one.id
        }
        let (first, second) = (
            try await trial.sh("readlink /proc/self/ns/pid", in: one),
            try await trial.sh("readlink /proc/self/ns/pid", in: two)
        )
        try equal(second, first, "PID namespace")
    },
    Case(
        "sandbox.hostname", "The pod's host name is in the containers, and in HOSTNAME",
        source: "api.proto PodSandboxConfig.hostname",
        proves: ["RunPodSandboxRequest.config.hostname"]
    ) { trial in
        let container = try await trial.running()
        let name = container.pod.config.hostname
        try equal(try await trial.sh("hostname", in: container), name, "hostname")
        try equal(try await trial.sh("cat /etc/hostname", in: container), name, "/etc/hostname")
        try equal(try await trial.sh("echo $HOSTNAME", in: container), name, "HOSTNAME")
    },
    Case(
        "sandbox.dns", "resolv.conf has the servers, searches and options of the pod", source: "api.proto DNSConfig",
        proves: [
            "RunPodSandboxRequest.config.dns_config.servers", "RunPodSandboxRequest.config.dns_config.searches",
            "RunPodSandboxRequest.config.dns_config.options",
        ]
    ) { trial in
        let pod = try await trial.pod {
            $0.dnsConfig.servers = ["10.96.0.10", "10.96.0.11"]
            $0.dnsConfig.searches = ["a.example", "b.example"]
            $0.dnsConfig.options = ["ndots:5", "timeout:3"]
        }
        let lines = try await trial.output(of: "cat /etc/resolv.conf", in: pod).split(separator: "\n").map(String.init)
        for line in [
            "nameserver 10.96.0.10", "nameserver 10.96.0.11", "search a.example b.example", "options ndots:5 timeout:3",
        ] {
            try expect(lines.contains(line), "no \"\(line)\" in \(lines)")
        }
    },
    Case(
        "sandbox.sysctls", "Sysctls of the pod are set in its namespaces",
        source: "api.proto LinuxPodSandboxConfig.sysctls",
        proves: ["RunPodSandboxRequest.config.linux.sysctls"]
    ) { trial in
        let pod = try await trial.pod {
            $0.linux.sysctls = ["kernel.shm_rmid_forced": "1", "net.ipv4.ip_local_port_range": "1024 65000"]
        }
        let read = try await trial.output(
            of: "cat /proc/sys/kernel/shm_rmid_forced /proc/sys/net/ipv4/ip_local_port_range", in: pod)
        try equal(read.split(whereSeparator: \.isWhitespace).map(String.init), ["1", "1024", "65000"], "values")
    },
    Case(
        "sandbox.low-ports", "Without privileges a container may listen on a low port and send pings",
        source: "containerd sandbox_run_linux.go",
        proves: ["RunPodSandbox"]
    ) { trial in
        let read = try await trial.output(
            of: "cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range")
        try equal(read.split(whereSeparator: \.isWhitespace).map(String.init), ["0", "0", "2147483647"], "values")
    },
    Case(
        "sandbox.shm", "/dev/shm is the pod's: containers see each other's files",
        source: "containerd sandbox_run_linux.go", proves: ["RunPodSandbox"]
    ) { trial in
        let one = try await trial.running()
        let two = try await trial.start(in: one.pod)
        _ = try await trial.sh("echo shared > /dev/shm/file", in: one)
        try equal(try await trial.sh("cat /dev/shm/file", in: two), "shared", "file")
    },
    Case(
        "sandbox.privileged-needs-pod", "A privileged container needs a privileged pod",
        source: "containerd container_create_linux.go",
        proves: [
            "RunPodSandboxRequest.config.linux.security_context.privileged",
            "CreateContainerRequest.config.linux.security_context.privileged",
        ]
    ) { trial in
        let config = trial.containerConfig { $0.linux.securityContext.privileged = true }
        try await trial.refused(
            CRIMethods.createContainer, Trial.request(config, in: try await trial.pod()),
            because: "the pod is not privileged")
    },
    Case(
        "sandbox.user-namespace-lines", "A user namespace of more than one line of mapping is refused",
        source: "critest security_context_linux.go",
        proves: ["RunPodSandboxRequest.config.linux.security_context.namespace_options.userns_options.uids[].*"]
    ) { trial in
        let config = try trial.podConfig {
            let lines = (0..<2).map { line in
                Runtime_V1_IDMapping.with {
                    $0.containerID = UInt32(line * 1000)
                    $0.hostID = UInt32(100_000 + line * 1000)
                    $0.length = 1000
                }
            }
            $0.linux.securityContext.namespaceOptions.usernsOptions = .with {
                $0.mode = .pod
                $0.uids = lines
                $0.gids = lines
            }
        }
        try await trial.refused(
            CRIMethods.runPodSandbox,
            .with {
                $0.config = config
                $0.runtimeHandler = trial.subject.settings.handler
            }, because: "its mapping has two lines")
    },
    Case(
        "sandbox.no-mutual-privileges", "The mount of a volume outlives neither the container nor the pod on the node",
        source: "api.proto RemovePodSandbox",
        proves: ["RemovePodSandbox", "RunPodSandboxRequest.config.linux.cgroup_parent"]
    ) { trial in
        let container = try await trial.running {
            $0.mounts = [
                .with {
                    $0.hostPath = trial.directory
                    $0.containerPath = "/volume"
                }
            ]
        }
        try await trial.remove(container.pod)
        let mounts = String(
            decoding: FileManager.default.contents(atPath: "/proc/self/mountinfo") ?? Data(), as: UTF8.self)
        try expect(!mounts.contains(container.id) && !mounts.contains(container.pod.id), "a mount of the pod is left")
    },
]

/// What Exec, Attach and PortForward check before they answer with a URL.
let streamingCases: [Case] = [
    Case(
        "streaming.exec-url", "Exec answers with a URL at once", source: "cri-streaming server.go",
        proves: ["Exec", "ExecRequest.cmd", "ExecRequest.stdout"]
    ) { trial in
        let container = try await trial.running()
        let url = try await trial.call(
            CRIMethods.exec,
            .with {
                $0.containerID = container.id
                $0.cmd = ["true"]
                $0.stdout = true
            }
        ).url
        try expect(url.wholeMatch(of: /https?:\/\/[^\/]+\/exec\/.+/) != nil, "url \"\(url)\"")
    },
    Case(
        "streaming.urls-differ", "Every Exec has a URL of its own", source: "cri-streaming request_cache.go",
        proves: ["Exec"]
    ) { trial in
        let container = try await trial.running()
        var urls: Set<String> = []
        for _ in 0..<10 {
            urls.insert(
                try await trial.call(
                    CRIMethods.exec,
                    .with {
                        $0.containerID = container.id
                        $0.cmd = ["true"]
                        $0.stdout = true
                    }
                ).url)
        }
        try equal(urls.count, 10, "urls")
    },
    Case(
        "streaming.exec-no-stream", "Exec without any stream is InvalidArgument", source: "cri-streaming server.go",
        proves: ["Exec", "ExecRequest.stdin", "ExecRequest.stderr"]
    ) { trial in
        let container = try await trial.running()
        try await trial.refused(
            CRIMethods.exec,
            .with {
                $0.containerID = container.id
                $0.cmd = ["true"]
            }, as: .invalidArgument)
    },
    Case(
        "streaming.exec-tty-stderr", "Exec with a terminal and standard error is InvalidArgument",
        source: "cri-streaming server.go",
        proves: ["Exec", "ExecRequest.tty", "ExecRequest.stderr"]
    ) { trial in
        let container = try await trial.running()
        try await trial.refused(
            CRIMethods.exec,
            .with {
                $0.containerID = container.id
                $0.cmd = ["true"]
                $0.stdout = true
                $0.stderr = true
                $0.tty = true
            }, as: .invalidArgument)
    },
    Case(
        "streaming.attach-url", "Attach answers with a URL", source: "cri-streaming server.go",
        proves: ["Attach", "AttachRequest.stdout"]
    ) { trial in
        let container = try await trial.running()
        let url = try await trial.call(
            CRIMethods.attach,
            .with {
                $0.containerID = container.id
                $0.stdout = true
            }
        ).url
        try expect(url.wholeMatch(of: /https?:\/\/[^\/]+\/attach\/.+/) != nil, "url \"\(url)\"")
    },
    Case(
        "streaming.attach-no-stream", "Attach without any stream is InvalidArgument", source: "cri-streaming server.go",
        proves: ["Attach", "AttachRequest.stdin", "AttachRequest.stderr"]
    ) { trial in
        let container = try await trial.running()
        try await trial.refused(CRIMethods.attach, .with { $0.containerID = container.id }, as: .invalidArgument)
    },
    Case(
        "streaming.attach-ended", "Attach to a container that has ended fails",
        source: "containerd container_attach.go", proves: ["Attach"]
    ) { trial in
        let container = try await trial.run("true")
        try await trial.refused(
            CRIMethods.attach,
            .with {
                $0.containerID = container.id
                $0.stdout = true
            }, because: "it has ended")
    },
    Case(
        "streaming.port-forward-url", "PortForward answers with a URL", source: "cri-streaming server.go",
        proves: ["PortForward", "PortForwardRequest.port"]
    ) { trial in
        let pod = try await trial.pod()
        let url = try await trial.call(
            CRIMethods.portForward,
            .with {
                $0.podSandboxID = pod.id
                $0.port = [80]
            }
        ).url
        try expect(url.wholeMatch(of: /https?:\/\/[^\/]+\/portforward\/.+/) != nil, "url \"\(url)\"")
    },
    Case(
        "streaming.port-forward-stopped", "PortForward to a stopped pod fails",
        source: "containerd sandbox_portforward.go", proves: ["PortForward"]
    ) { trial in
        let pod = try await trial.pod()
        try await trial.stop(pod)
        try await trial.refused(
            CRIMethods.portForward,
            .with {
                $0.podSandboxID = pod.id
                $0.port = [80]
            }, because: "the pod is stopped")
    },
]
