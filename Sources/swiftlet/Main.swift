import CLICore
import Foundation
import Glibc
import Linux

@main
struct Main {
    static func main() async {
        Console.ignoreBrokenPipes()
        var console = Console.standard
        console.size = {
            // A terminal that does not know its size says 0.
            guard let size = RawTerminal.size, size.rows > 0, size.columns > 0 else { return nil }
            return (Int(size.rows), Int(size.columns))
        }
        let process = ProcessInfo.processInfo
        let status = await Program.run(
            Array(process.arguments.dropFirst()), environment: process.environment, console: console)
        exit(status)
    }
}
