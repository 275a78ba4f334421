import CLICore
import CRIProto
import GRPC
import Play

// How containers are stopped, and how their ends are seen.
extension PodPlayer {
    /// Looks at a container that may have ended, and tells the machine.
    func look(_ id: String) async {
        guard let container = live[id] else { return }
        let end: Termination
        do {
            let status = try await session.containerStatus(id).status
            guard status.state != .containerRunning, status.state != .containerCreated else { return }
            end = Termination(
                status, said: lastWords(of: container.name, container.attempt, status.exitCode))
        } catch let failure as Failure where failure.code == .notFound {
            // What a kubelet says of a container that somebody took away.
            end = Termination(
                exitCode: 137, reason: "ContainerStatusUnknown", message: "the container is gone from the runtime")
        } catch {
            return await say("/\(container.name): \(error)")
        }
        // Another look may have been quicker.
        guard live[id] != nil else { return }
        live[id] = nil
        send(.exited(container.name, attempt: container.attempt, end))
    }

    /// What a container said at its end: in its file, or where the manifest wants that, at the end of its log.
    private func lastWords(of name: String, _ attempt: Int, _ exitCode: Int32) -> String {
        let said = plan.directory.readMessage(name, attempt)
        guard said.isEmpty, exitCode != 0, spec(name)?.fallsBackToLog == true else { return said }
        return plan.directory.readLogEnd(name, attempt)
    }

    func stop(_ name: String, _ attempt: Int, grace: Int64) async {
        guard let id = id(name, attempt) else { return }
        let start = ContinuousClock.now
        if grace > 0, !isKilling {
            if let hook = stopHooks[name] {
                await wait(for: hook, within: .seconds(grace))
            } else {
                await preStop(name, attempt, grace: grace)
            }
        }
        // The kubelet's least grace after a hook.
        let left = max(min(2, grace), grace - (ContinuousClock.now - start).components.seconds)
        let seconds = isKilling ? 0 : left
        await persistently("/\(name): stop") { try await self.session.stopContainer(id, grace: seconds) }
        await look(id)
    }

    /// Begins the hook of a sidecar whose stop comes later, before anything else is done about it.
    func beginStopHook(_ action: PodMachine.Action) {
        guard case .preStop(let name, let attempt, let grace) = action else { return }
        stopHooks[name] = Task { await preStop(name, attempt, grace: grace) }
    }

    /// The two hooks of a container never run at once: what one makes the other takes away.
    private func preStop(_ name: String, _ attempt: Int, grace: Int64) async {
        guard let spec = spec(name), let id = id(name, attempt), let hook = spec.preStop?.handler else { return }
        let start = ContinuousClock.now
        if let before = startHooks[name] { await wait(for: before, within: .seconds(grace)) }
        let rest = max(.seconds(1), .seconds(grace) - (ContinuousClock.now - start))
        if let problem = await perform(hook, spec, id, within: rest), !isKilling {
            await say("/\(name): preStop hook failed: \(problem)")
        }
    }

    private func wait(for hook: Task<Void, Never>, within limit: Duration) async {
        let timer = Task {
            do { try await Task.sleep(for: limit) } catch { return }
            hook.cancel()
        }
        await hook.value
        timer.cancel()
    }

    func kill(_ id: String) async {
        guard let container = live[id] else { return }
        await persistently("/\(container.name): kill") { try await self.session.stopContainer(id, grace: 0) }
        await look(id)
    }
}
