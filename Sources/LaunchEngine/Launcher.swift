import LaunchProtocol
import Linux

/// The program `swiftlet-launch`: which of its modes it runs in.
package enum Launcher {
    private static let version = Path("0.1.0")

    package static func main() -> Never {
        let arguments = CurrentProcess.arguments
        let mode = arguments.count > 1 ? arguments[1] : []
        switch arguments.count {
        case 3 where mode == Path("supervise").bytes: SupervisorBirth.run(podID: arguments[2])
        case 2 where mode == Path("pod-init").bytes: PodInit.run()
        case 2 where mode == Path("--version").bytes:
            say(
                Path("swiftlet-launch ").bytes + version.bytes + Path(", protocol ").bytes
                    + decimal(UInt64(Wire.version)) + [UInt8(ascii: "\n")])
            CurrentProcess.exit(0)
        case 2 where mode == Path("--help").bytes:
            say(help.bytes)
            CurrentProcess.exit(0)
        default:
            say(help.bytes)
            CurrentProcess.exit(64)
        }
    }

    private static let help: Path = """
        usage: swiftlet-launch supervise POD   become the supervisor of a pod (started by swiftletd, which passes
                                               descriptors 3 to 8)
               swiftlet-launch pod-init        become PID 1 of a shared PID namespace (started by a supervisor)
               swiftlet-launch --version
               swiftlet-launch --help

        """

    private static func say(_ text: Bytes) {
        ignoringErrors { () throws(Errno) in try StandardStream.output.write(text) }
    }
}
