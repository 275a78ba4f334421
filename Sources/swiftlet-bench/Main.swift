import CLICore
import Foundation
import Glibc

@main
struct Main {
    static func main() async {
        Console.ignoreBrokenPipes()
        let arguments = Array(ProcessInfo.processInfo.arguments.dropFirst())
        exit(await Tool.run(BenchCommand.self, name: "swiftlet-bench", arguments, console: .standard))
    }
}
