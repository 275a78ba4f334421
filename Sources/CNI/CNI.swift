import Linux
package import Model

/// What a pod got from its network.
package struct NetworkAttachment: Sendable, Equatable {
    /// Of the pod's interface, the primary one first; never empty.
    package var addresses: [IPAddress]
    package var result: NetworkResult
    package var network: String
    /// Time in which plugins ran.
    package var pluginTime: Duration
}

/// What became of the release of a pod.
package struct NetworkRelease: Sendable, Equatable {
    /// False when there was no record: the pod had no network, or has been released before.
    package var wasAttached: Bool
    package var pluginTime: Duration

    package init(wasAttached: Bool, pluginTime: Duration) {
        self.wasAttached = wasAttached
        self.pluginTime = pluginTime
    }
}

/// The node's pod network, made by CNI plugins.
///
/// Pods do not wait for one another: each operation runs on a thread of its own, and there is no lock. The caller sees
/// to it that there is one operation at a time for one pod. Undo of a failed or interrupted `attach` is one `detach`.
package final class CNI: Sendable {
    /// The daemon's configuration of its networks.
    package struct Options: Sendable, Equatable {
        package var configurationDirectory = "/etc/cni/net.d"
        package var pluginDirectories = ["/opt/cni/bin"]
        /// For all plugins of one ADD or DEL together.
        package var limit: Duration = .seconds(60)
        /// For all plugins of one STATUS together: the kubelet asks every few seconds and waits for the answer.
        package var statusLimit: Duration = .seconds(5)
        package var preference: NetworkResult.Preference = .ipv4
        /// Operations at a time; more wait for a thread.
        package var parallelMax = 128

        package init() {}
    }

    /// The name of the interface in every pod, as Kubernetes has it.
    package static let interface = "eth0"

    /// Is told of a plugin that starts, with its name and command; what it returns is called at the plugin's end, with whether it
    /// went well. On the thread that runs it.
    package typealias PluginWatch =
        @Sendable (_ plugin: String, _ command: String) -> @Sendable (_ isWell: Bool) -> Void

    private let options: Options
    private let configurations: ConfigurationDirectory
    private let store: AttachmentStore
    private let runner: PluginRunner
    private let pool: BlockingPool

    /// - Parameter recordDirectory: absolute; made when missing (its parent has to be there).
    package init(_ options: Options, recordDirectory: String) throws(CNIError) {
        self.options = options
        configurations = ConfigurationDirectory(path: options.configurationDirectory)
        store = try AttachmentStore(path: recordDirectory)
        runner = PluginRunner(directories: options.pluginDirectories)
        pool = BlockingPool(name: "cni", threadsMax: options.parallelMax)
    }

    /// Whether pods can get a network now; nil = yes. Asks plugins of version 1.1.0 and later themselves (STATUS).
    package func problem() async throws -> CNIError? {
        try await pool.run { [self] in
            do throws(CNIError) {
                let network = try configurations.load()
                for plugin in network.plugins { _ = try runner.find(plugin.type) }
                if network.version.hasStatus { try status(network) }
                return nil
            } catch {
                return error
            }
        }
    }

    /// Attaches a pod: ADD of every plugin in order.
    ///
    /// A record is on disk before the first plugin runs. After an error, `detach` undoes what was done, in one DEL.
    package func attach(_ request: NetworkRequest, watch: PluginWatch? = nil) async throws -> NetworkAttachment {
        try await pool.run { [self] in try attachNow(request, watch) }
    }

    /// Releases a pod: DEL of every plugin in reverse order, with the configuration and the result of its ADD, whatever
    /// the node's configuration is now. Success without a record.
    ///
    /// After an error the record stays, so that a later call tries again.
    /// - Parameter networkNamespace: nil when it is gone; plugins then release what lies outside of it.
    package func detach(
        _ pod: PodID, networkNamespace: String?, watch: PluginWatch? = nil
    ) async throws -> NetworkRelease {
        try await pool.run { [self] in try detachNow(pod, networkNamespace: networkNamespace, watch) }
    }

    /// Pods that have a record, from which stale ones are found at start.
    package func attachedPods() throws(CNIError) -> [PodID] { try store.pods() }

    /// At start, before any other operation: ends plugins that an earlier daemon left running.
    package func killLeftovers() throws(CNIError) { try store.killLeftovers() }
}

// MARK: - Chains of plugins

extension CNI {
    private func attachNow(_ request: NetworkRequest, _ watch: PluginWatch?) throws(CNIError) -> NetworkAttachment {
        guard request.networkNamespace.hasPrefix("/"), !request.networkNamespace.utf8.contains(0) else {
            throw .badRequest(
                field: "network namespace", reason: "\"\(request.networkNamespace)\" is not an absolute path")
        }
        guard try !store.exists(request.pod) else { throw .alreadyAttached(request.pod) }
        var record = AttachmentRecord(
            pod: request.pod, networkNamespace: request.networkNamespace, interface: Self.interface,
            arguments: try request.cniArguments(), capabilityArguments: try request.capabilityArguments(),
            configuration: try configurations.load(), result: nil)
        try store.write(record)

        let network = record.configuration
        let deadline = PluginRunner.Deadline(options.limit)
        var time = Duration.zero
        var last: (result: NetworkResult, plugin: String)?
        for plugin in network.plugins {
            let input = network.input(for: plugin, arguments: record.capabilityArguments, previous: last?.result.source)
            let output = try run(plugin, .add, record, record.networkNamespace, input, deadline, &time, watch)
            last = (try Self.result(output, network.version, plugin.type), plugin.type)
        }
        guard let last else { throw .badResult(plugin: "", reason: "no plugin ran") }
        let addresses = last.result.podAddresses(interface: Self.interface, preference: options.preference)
        guard !addresses.isEmpty else {
            throw .badResult(plugin: last.plugin, reason: "no address for \"\(Self.interface)\"")
        }
        record.result = last.result.source
        try store.write(record)
        return NetworkAttachment(addresses: addresses, result: last.result, network: network.name, pluginTime: time)
    }

    private func detachNow(
        _ pod: PodID, networkNamespace: String?, _ watch: PluginWatch?
    ) throws(CNIError) -> NetworkRelease {
        guard let record = try recordForRelease(pod) else {
            return NetworkRelease(wasAttached: false, pluginTime: .zero)
        }
        let network = record.configuration
        let previous = network.version.passesResultToDelete ? record.result : nil
        let deadline = PluginRunner.Deadline(options.limit)
        var time = Duration.zero
        var first: CNIError?
        for plugin in network.plugins.reversed() {
            let input = network.input(for: plugin, arguments: record.capabilityArguments, previous: previous)
            do throws(CNIError) {
                _ = try run(plugin, .delete, record, networkNamespace ?? "", input, deadline, &time, watch)
            } catch {
                // The others still release what is theirs; DEL is repeated for all of them later.
                if first == nil { first = error }
            }
        }
        if let first { throw first }
        try store.remove(pod)
        return NetworkRelease(wasAttached: true, pluginTime: time)
    }

    /// A damaged record is replaced by what is still known: plugins find their own by the pod's id alone.
    private func recordForRelease(_ pod: PodID) throws(CNIError) -> AttachmentRecord? {
        do throws(CNIError) {
            return try store.read(pod)
        } catch {
            guard case .badRecord = error else { throw error }
            let network: NetworkConfiguration
            do throws(CNIError) { network = try configurations.load() } catch _ { throw error }
            return AttachmentRecord(
                pod: pod, networkNamespace: "", interface: Self.interface, arguments: "IgnoreUnknown=1",
                capabilityArguments: [:],
                configuration: network, result: nil)
        }
    }

    private func run(
        _ plugin: PluginConfiguration, _ command: PluginRunner.Call.Command, _ record: AttachmentRecord,
        _ networkNamespace: String,
        _ input: JSON, _ deadline: PluginRunner.Deadline, _ time: inout Duration, _ watch: PluginWatch?
    ) throws(CNIError) -> [UInt8] {
        let call = PluginRunner.Call(
            command: command, containerID: record.pod.text, networkNamespace: networkNamespace,
            interface: record.interface,
            arguments: record.arguments)
        let ended = watch?(plugin.type, command.rawValue)
        var isWell = false
        defer {
            ended?(isWell)
            store.noteEnded(record.pod)
        }
        let output = try runner.run(plugin.type, call, input: input, deadline: deadline, time: &time) {
            store.noteRunning(record.pod, pid: $0)
        }
        isWell = true
        return output
    }

    private func status(_ network: NetworkConfiguration) throws(CNIError) {
        let deadline = PluginRunner.Deadline(options.statusLimit)
        var time = Duration.zero
        for plugin in network.plugins {
            let input = network.input(for: plugin, arguments: [:], previous: nil)
            _ = try runner.run(plugin.type, .init(command: .status), input: input, deadline: deadline, time: &time) {
                _ in
            }
        }
    }

    private static func result(_ output: [UInt8], _ version: CNIVersion, _ plugin: String) throws(CNIError)
        -> NetworkResult
    {
        let document: JSON
        do throws(JSONError) {
            document = try JSON(parsing: output)
        } catch {
            throw .badResult(plugin: plugin, reason: output.isEmpty ? "nothing was printed" : "not JSON: \(error)")
        }
        return try NetworkResult(document, version: version, plugin: plugin)
    }
}
