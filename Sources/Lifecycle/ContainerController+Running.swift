package import Model
import OCI

extension ContainerController {
    /// Opens the log file anew, as after a rotation (CRI ReopenContainerLog).
    package func reopenLog() async throws {
        guard case .running = machine.state else {
            throw Fault.precondition("reopen log of \(title): it is not running")
        }
        let plans = Plans(ports: ports, settings: settings)
        guard let log = plans.log(record, pod: await pod.currentRecord()) else { return }
        do {
            try await ports.supervisors.reopenLog(podID, container: id, log: log)
        } catch {
            throw error.fault("reopen log of \(title)")
        }
    }

    /// Changes limits (CRI UpdateContainerResources): only what `change` asks for.
    package func update(_ change: LinuxResources) async throws {
        let old = record.config.resources
        let new = old.changed(by: change)
        switch machine.state {
        case .removing, .removed: throw Fault.precondition("update \(title): it is being removed")
        case .created, .starting, .exited: break
        case .running(let running):
            do {
                try await ports.cgroups.update(record.cgroup, from: old, to: new)
                if new.oomScoreAdj != old.oomScoreAdj {
                    try await ports.host.setOOMScoreAdj(pid: running.pid, cgroup: record.cgroup, value: new.oomScoreAdj)
                }
            } catch {
                // A container that ended meanwhile has no limits to change.
                guard case .running = machine.state else { break }
                throw error.fault("update \(title)")
            }
        }
        try await self.change { $0.config.resources = new }
    }
}

extension LinuxResources {
    /// These limits with every field that `change` asks for (not zero, not empty) taken from it.
    package func changed(by change: LinuxResources) -> LinuxResources {
        var new = self
        if change.cpuPeriod != 0 { new.cpuPeriod = change.cpuPeriod }
        if change.cpuQuota != 0 { new.cpuQuota = change.cpuQuota }
        if change.cpuShares != 0 { new.cpuShares = change.cpuShares }
        if change.memoryLimitBytes != 0 { new.memoryLimitBytes = change.memoryLimitBytes }
        if change.memorySwapLimitBytes != 0 { new.memorySwapLimitBytes = change.memorySwapLimitBytes }
        if change.oomScoreAdj != 0 { new.oomScoreAdj = change.oomScoreAdj }
        if !change.cpusetCPUs.isEmpty { new.cpusetCPUs = change.cpusetCPUs }
        if !change.cpusetMems.isEmpty { new.cpusetMems = change.cpusetMems }
        for limit in change.hugepageLimits {
            new.hugepageLimits.removeAll { $0.pageSize == limit.pageSize }
            new.hugepageLimits.append(limit)
        }
        new.unified.merge(change.unified) { _, changed in changed }
        return new
    }
}
