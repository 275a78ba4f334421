import Foundation
import Testing

@testable import swiftlet

@Suite struct CommandDocumentTests {
    @Test("docs/cli.md lists the commands that there are, in their order")
    func commands() throws {
        let file = Golden.packageRoot.appending(path: "docs/cli.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        let table = try #require(
            text.split(separator: "<!-- commands:begin -->").last?.split(separator: "<!-- commands:end -->").first)
        let listed = table.split(separator: "\n").filter { $0.hasPrefix("| `") }.compactMap { line in
            line.split(separator: "`").dropFirst().first.map(String.init)
        }
        #expect(listed == HelpTests.commands)
    }

    @Test("README.md leads to every document")
    func links() throws {
        let readme = try String(contentsOf: Golden.packageRoot.appending(path: "README.md"), encoding: .utf8)
        let directory = Golden.packageRoot.appending(path: "docs").path
        let documents = try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasSuffix(".md") }
        #expect(documents.count >= 7)
        #expect(documents.filter { !readme.contains("docs/\($0)") } == [])
    }
}
