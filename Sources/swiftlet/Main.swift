import CLICore
import Foundation
import Glibc

@main
struct Main {
    static func main() async {
        Console.ignoreBrokenPipes()
        let process = ProcessInfo.processInfo
        let status = await Program.run(
            Array(process.arguments.dropFirst()), environment: process.environment, console: .standard)
        exit(status)
    }
}
