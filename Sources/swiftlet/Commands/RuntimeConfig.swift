import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct RuntimeConfig: RuntimeCommand {
    static let configuration = CommandConfiguration(
        commandName: "runtime-config",
        abstract: "Show what the runtime asks the kubelet to agree on: the cgroup driver.",
        usage: "swiftlet runtime-config [-o FORMAT]")

    @OptionGroup var output: Output<TableFirst>

    func run(_ session: Session) async throws {
        let response = try await session.runtime.call(
            CRIMethods.runtimeConfig, .init(), within: session.quick, to: "ask for the runtime's configuration")
        guard output.isTable else { return try session.console.out(output.text(JSONValue(message: response))) }
        // crictl's words to the letter: scripts look for them.
        let driver = response.linux.cgroupDriver == .systemd ? "SYSTEMD" : "CGROUPFS"
        try session.console.line("cgroup driver:   \(driver)")
    }
}
