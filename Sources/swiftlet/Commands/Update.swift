import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Update: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Change the limits of containers that are there.",
        usage: "swiftlet update [OPTIONS] CONTAINER ...",
        discussion: "What is not given stays as it is.")

    @Argument(help: "Ids of containers, or beginnings of them.", completion: .containers)
    var containers: [String]

    @Option(parsing: .unconditional, help: "The length of a CPU period in microseconds.")
    var cpuPeriod: Int64 = 0

    @Option(
        parsing: .unconditional,
        help: "CPU time in microseconds that may be used in a period; -1 is no limit.")
    var cpuQuota: Int64 = 0

    @Option(parsing: .unconditional, help: "The weight against others, 2 to 262144.")
    var cpuShare: Int64 = 0

    @Option(help: "The memory limit in bytes; a unit may follow, such as 64Mi.")
    var memory: String?

    @Option(help: "The CPUs to use, such as 0-2,7.")
    var cpusetCpus = ""

    @Option(help: "The memory nodes to use, such as 0-1.")
    var cpusetMems = ""

    @Option(
        parsing: .unconditional,
        help: "How soon the kernel ends it when memory runs out, -1000 to 1000.")
    var oomScoreAdj: Int64?

    func validate() throws {
        if let oomScoreAdj, !(-1000...1000).contains(oomScoreAdj) {
            throw ValidationError("--oom-score-adj \(oomScoreAdj): expected -1000 to 1000")
        }
    }

    func run(_ session: Session) async throws {
        let limits = try resources()
        guard limits != .init() else { throw Failure.usage("update: expected at least one limit, see --help") }
        try await session.forEach(try await session.containerIDs(containers)) { id in
            let request = Runtime_V1_UpdateContainerResourcesRequest.with {
                $0.containerID = id
                $0.linux = limits
            }
            _ = try await session.runtime.call(
                CRIMethods.updateContainerResources, request, within: session.slow, to: "update container \"\(id)\"")
            try session.console.line(id)
        }
    }

    private func resources() throws(Failure) -> Runtime_V1_LinuxContainerResources {
        var limits = Runtime_V1_LinuxContainerResources()
        limits.cpuPeriod = cpuPeriod
        limits.cpuQuota = cpuQuota
        limits.cpuShares = cpuShare
        limits.cpusetCpus = cpusetCpus
        limits.cpusetMems = cpusetMems
        limits.oomScoreAdj = oomScoreAdj ?? 0
        if let memory {
            guard let bytes = parseSize(memory), bytes > 0 else {
                throw .usage("--memory \"\(printable(memory))\": not a number of bytes such as 64Mi")
            }
            limits.memoryLimitInBytes = bytes
        }
        return limits
    }
}
