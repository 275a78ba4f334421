import CRIProto
import SwiftProtobuf
import GRPC

/// Exit codes, reasons, and how a stop ends a container.
let exitCases: [Case] = [
    Case(
        "exit.success", "A container that exits with 0 is EXITED, code 0, reason Completed",
        source: "containerd container_status.go",
        proves: ["ContainerStatus", "StartContainer"]
    ) { trial in
        let status = try await trial.status(trial.run("exit 0"))
        try equal(status.exitCode, 0, "exit_code")
        try equal(status.reason, "Completed", "reason")
    },
    Case(
        "exit.failure", "A container that exits with N has exit code N, reason Error",
        source: "containerd container_status.go",
        proves: ["ContainerStatus"]
    ) { trial in
        let status = try await trial.status(trial.run("exit 7"))
        try equal(status.exitCode, 7, "exit_code")
        try equal(status.reason, "Error", "reason")
    },
    Case(
        "exit.signal", "A container that a signal ends has exit code 128 and the signal's number",
        source: "containerd container_status.go",
        proves: ["ContainerStatus"]
    ) { trial in
        let container = try await trial.running(["sleep", "600"])
        try await trial.stop(container, timeout: 0)
        try equal(try await trial.status(container).exitCode, 137, "exit_code")
    },
    Case(
        "exit.start-error",
        "A program that is not there fails StartContainer and leaves EXITED, code 128, reason StartError",
        source: "containerd container_start.go", proves: ["StartContainer", "CreateContainerRequest.config.command"]
    ) { trial in
        let container = try await trial.create(trial.containerConfig(["/no/such/program"]), in: try await trial.pod())
        try await trial.refused(
            CRIMethods.startContainer, .with { $0.containerID = container.id }, because: "there is no such program")
        let status = try await trial.status(container)
        try equal(status.state, .containerExited, "state")
        try equal(status.exitCode, 128, "exit_code")
        try equal(status.reason, "StartError", "reason")
        try expect(
            status.startedAt != 0 && status.finishedAt != 0,
            "started_at \(status.startedAt), finished_at \(status.finishedAt)")
    },
    Case(
        "exit.stop-signal-default", "StopContainer sends SIGTERM and waits for the container",
        source: "api.proto StopContainer",
        proves: ["StopContainer", "StopContainerRequest.timeout"]
    ) { trial in
        let container = try await trial.running([
            "sh", "-c", "trap 'exit 5' TERM; echo up; while :; do usleep 20000; done",
        ])
        _ = try await trial.log(container) { !$0.isEmpty }
        try await trial.stop(container, timeout: 50)
        try equal(try await trial.status(container).exitCode, 5, "exit_code")
    },
    Case(
        "exit.stop-signal", "StopContainer sends the signal that the container was made with",
        source: "api.proto ContainerConfig.stop_signal",
        proves: ["StopContainer", "CreateContainerRequest.config.stop_signal"]
    ) { trial in
        let container = try await trial.running([
            "sh", "-c", "trap 'exit 6' USR1; trap 'exit 5' TERM; echo up; while :; do usleep 20000; done",
        ]) {
            $0.stopSignal = .sigusr1
        }
        _ = try await trial.log(container) { !$0.isEmpty }
        try await trial.stop(container, timeout: 50)
        try equal(try await trial.status(container).exitCode, 6, "exit_code")
    },
    Case(
        "exit.stop-timeout", "StopContainer kills a container that ignores the signal past the timeout",
        source: "api.proto StopContainer",
        proves: ["StopContainer", "StopContainerRequest.timeout"]
    ) { trial in
        let container = try await trial.running(["sh", "-c", "trap '' TERM; echo up; while :; do usleep 20000; done"])
        _ = try await trial.log(container) { !$0.isEmpty }
        try await trial.stop(container, timeout: 1)
        try equal(try await trial.status(container).exitCode, 137, "exit_code")
    },
    Case(
        "exit.exec-code", "ExecSync answers with the exit code and both streams; another code than 0 is no error",
        source: "api.proto ExecSyncResponse", proves: ["ExecSync", "ExecSyncRequest.cmd"]
    ) { trial in
        let reply = try await trial.exec(["sh", "-c", "echo out; echo err >&2; exit 9"], in: trial.running())
        try equal(reply.exitCode, 9, "exit_code")
        try equal(String(decoding: reply.stdout, as: UTF8.self), "out\n", "stdout")
        try equal(String(decoding: reply.stderr, as: UTF8.self), "err\n", "stderr")
    },
    Case(
        "exit.exec-signal", "A command of ExecSync that a signal ends has exit code 128 and the signal's number",
        source: "critest container.go",
        proves: ["ExecSync"]
    ) { trial in
        try equal(try await trial.exec(["sh", "-c", "kill -9 $$"], in: trial.running()).exitCode, 137, "exit_code")
    },
    Case(
        "exit.oom", "A container that the kernel kills for its memory has exit code 137, reason OOMKilled",
        source: "critest container_linux.go",
        proves: ["ContainerStatus", "CreateContainerRequest.config.linux.resources.memory_limit_in_bytes"]
    ) { trial in
        try Host.needs("memory")
        let container = try await trial.run("x=$(head -c 100000000 /dev/zero | tr '\\0' x); echo ${#x}") {
            $0.linux.resources.memoryLimitInBytes = 15 << 20
            $0.linux.resources.unified = ["memory.oom.group": "1"]
        }
        let status = try await trial.status(container)
        try equal(status.exitCode, 137, "exit_code")
        try equal(status.reason, "OOMKilled", "reason")
    },
]
