import CRIProto
import Cgroups
import Lifecycle
import Model
import SwiftProtobuf

/// Readings as messages of the CRI. What the kernel or the host does not offer is absent, never zero.
extension Present {
    static func attributes(_ record: ContainerRecord) -> Runtime_V1_ContainerAttributes {
        .with {
            $0.id = record.id.text
            $0.metadata = metadata(record.config.metadata)
            $0.labels = record.config.labels
            $0.annotations = record.config.annotations
        }
    }

    static func statistics(_ record: ContainerRecord, _ usage: CgroupUsage?, layer: FilesystemUse?)
        -> Runtime_V1_ContainerStats
    {
        .with { message in
            message.attributes = attributes(record)
            if let usage {
                message.cpu = cpu(usage)
                message.memory = memory(usage)
                if let swap = swap(usage) { message.swap = swap }
                if let io = io(usage) { message.io = io }
            }
            if let layer { message.writableLayer = filesystem(layer) }
        }
    }

    static func filesystem(_ use: FilesystemUse) -> Runtime_V1_FilesystemUsage {
        .with { message in
            message.timestamp = use.timestamp
            message.fsID = .with { $0.mountpoint = use.mountpoint }
            message.usedBytes = value(use.usedBytes)
            message.inodesUsed = value(use.inodesUsed)
        }
    }

    static func cpu(_ usage: CgroupUsage) -> Runtime_V1_CpuUsage {
        .with { message in
            message.timestamp = usage.timestamp
            if let cpu = usage.counted.cpu { message.usageCoreNanoSeconds = value(cpu.usageNanoseconds) }
            if let nanoCores = usage.nanoCores { message.usageNanoCores = value(nanoCores) }
            if let pressure = usage.counted.pressure.cpu { message.psi = psi(pressure) }
        }
    }

    static func memory(_ usage: CgroupUsage) -> Runtime_V1_MemoryUsage {
        .with { message in
            message.timestamp = usage.timestamp
            if let pressure = usage.counted.pressure.memory { message.psi = psi(pressure) }
            guard let memory = usage.counted.memory else { return }
            message.usageBytes = value(memory.currentBytes)
            message.workingSetBytes = value(memory.workingSetBytes)
            message.rssBytes = value(memory.anonBytes)
            message.pageFaults = value(memory.pageFaults)
            message.majorPageFaults = value(memory.majorPageFaults)
            if let available = memory.availableBytes { message.availableBytes = value(available) }
        }
    }

    private static func swap(_ usage: CgroupUsage) -> Runtime_V1_SwapUsage? {
        guard let memory = usage.counted.memory, let current = memory.swapCurrentBytes else { return nil }
        return .with { message in
            message.timestamp = usage.timestamp
            message.swapUsageBytes = value(current)
            if let limit = memory.swapLimit?.value { message.swapAvailableBytes = value(limit - min(limit, current)) }
        }
    }

    static func io(_ usage: CgroupUsage) -> Runtime_V1_IoUsage? {
        guard let pressure = usage.counted.pressure.io else { return nil }
        return .with {
            $0.timestamp = usage.timestamp
            $0.psi = psi(pressure)
        }
    }

    /// Nil without an interface. The default one is eth0, else the first.
    static func network(_ interfaces: [InterfaceUse], timestamp: Int64) -> Runtime_V1_NetworkUsage? {
        guard let main = interfaces.first(where: { $0.name == "eth0" }) ?? interfaces.first else { return nil }
        return .with {
            $0.timestamp = timestamp
            $0.defaultInterface = interface(main)
            $0.interfaces = interfaces.filter { $0.name != main.name }.map(interface)
        }
    }

    private static func interface(_ use: InterfaceUse) -> Runtime_V1_NetworkInterfaceUsage {
        .with {
            $0.name = use.name
            $0.rxBytes = value(use.received.bytes)
            $0.rxErrors = value(use.received.errors)
            $0.txBytes = value(use.sent.bytes)
            $0.txErrors = value(use.sent.errors)
        }
    }

    private static func psi(_ pressure: CgroupStatistics.Pressure) -> Runtime_V1_PsiStats {
        .with {
            $0.some = line(pressure.some)
            if let full = pressure.full { $0.full = line(full) }
        }
    }

    /// The CRI wants the total in nanoseconds; the kernel counts microseconds.
    private static func line(_ line: CgroupStatistics.Pressure.Line) -> Runtime_V1_PsiData {
        .with {
            $0.total = line.totalMicroseconds.multipliedReportingOverflow(by: 1000).partialValue
            $0.avg10 = line.average10
            $0.avg60 = line.average60
            $0.avg300 = line.average300
        }
    }

    static func value(_ number: UInt64) -> Runtime_V1_UInt64Value { .with { $0.value = number } }
}
