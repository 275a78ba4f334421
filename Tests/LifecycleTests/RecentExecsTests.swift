import LaunchProtocol
import Model
import Planner
import Testing

@testable import Lifecycle

@Suite("Recent execs")
struct RecentExecsTests {
    private func request(_ name: String) -> ExecRequest {
        ExecRequest(command: [name], streams: .passed(stdin: nil, stdout: 0, stderr: 1))
    }

    private func launch(_ name: String) -> ExecLaunch {
        ExecLaunch(
            pod: .random(), container: .random(), plan: LaunchPlan(kind: .exec, steps: []), cgroup: "/" + name)
    }

    @Test("so many are kept, and the one that was asked for longest ago goes first")
    func bound() {
        let execs = RecentExecs()
        let names = (0..<RecentExecs.launchesMax).map { "\($0)" }
        for name in names { execs.keep(launch(name), of: request(name)) }
        #expect(execs.launch(of: request("0"))?.cgroup == "/0")
        execs.keep(launch("new"), of: request("new"))
        #expect(execs.launch(of: request("1")) == nil)
        #expect(execs.launch(of: request("0"))?.cgroup == "/0")
        #expect(execs.launch(of: request("new"))?.cgroup == "/new")
        #expect(execs.launch(of: request("unknown")) == nil)
    }

    @Test("the same command again replaces its launch, and other streams are another command")
    func replacement() {
        let execs = RecentExecs()
        execs.keep(launch("old"), of: request("a"))
        execs.keep(launch("new"), of: request("a"))
        #expect(execs.launch(of: request("a"))?.cgroup == "/new")
        #expect(
            execs.launch(of: ExecRequest(command: ["a"], streams: .passed(stdin: nil, stdout: 0, stderr: nil))) == nil)
        execs.removeAll()
        #expect(execs.launch(of: request("a")) == nil)
    }
}
