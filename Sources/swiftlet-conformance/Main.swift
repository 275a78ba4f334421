import CLICore
import Foundation
import Glibc

@main
struct Main {
    static func main() async {
        Console.ignoreBrokenPipes()
        let arguments = Array(ProcessInfo.processInfo.arguments.dropFirst())
        exit(await Tool.run(ConformanceCommand.self, name: "swiftlet-conformance", arguments, console: .standard))
    }
}
