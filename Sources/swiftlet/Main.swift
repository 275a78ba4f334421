import CLICore
import Foundation
import Glibc
import Linux

@main
struct Main {
    static func main() async {
        Console.occupyClosedStreams()
        Console.ignoreBrokenPipes()
        let process = ProcessInfo.processInfo
        var console = Console.standard.adapted(to: process.environment)
        console.size = {
            // A terminal that does not know its size says 0.
            guard let size = RawTerminal.size, size.rows > 0, size.columns > 0 else { return nil }
            return (Int(size.rows), Int(size.columns))
        }
        let status = await Program.run(
            Array(process.arguments.dropFirst()), environment: process.environment, console: console)
        exit(status)
    }
}
