import CNI
import CRIProto
import CRIService
import Cgroups
import GRPC
import ImageStore
import Lifecycle
import Linux
import Logging
import Model
import NIOPosix
import Planner
import Registry
import Seccomp
import StateStore
import Streaming
import SupervisorClient
import SwiftletAPI
import Synchronization

/// Puts the parts together, recovers, serves, and ends on SIGTERM. Pods and containers are left running.
struct Daemon {
    let config: Config
    /// Reads the configuration again, as it was read for the start.
    let readAgain: @Sendable () throws -> Config

    /// How long running calls may take to finish when the daemon ends.
    private static let shutdownGrace = Duration.seconds(10)
    /// How long streams may go on when the daemon ends.
    private static let streamingGrace = Duration.seconds(1)
    /// Threads for calls and operations, which may block on a disk; beyond them work waits.
    private static let workThreadsMax = 64

    func run() async throws {
        let hangUps = try watch([.hangUp])
        let control = LogControl(config)
        let log = Logger(label: "swiftletd") { LogOutput(label: $0, control: control) }
        let manager = await greetManager(log)
        let parts = try await assemble(log, control)
        let isReady = Atomic<Bool>(false)
        let health = HealthService()
        let node = nodeService(parts.configuration, manager, parts.runtime, parts.pool, log)
        // Before the kubelet starts, which looks for it once.
        let inspect = try await serveInspection(parts, log)
        let pulls = PullService(board: parts.images.store.board)
        let server = try await serve(
            parts, beside: node.methods() + health.methods() + pulls.methods(),
            isReady: { isReady.load(ordering: .acquiring) }, log: log)
        let monitoring = try await serveMonitoring(parts.monitoring)
        let report = try await parts.runtime.recover()
        parts.monitoring.recovered(report)
        try await parts.images.store.removeUnreferencedLayers()
        // Recovery may be cut off at any point; from here on calls are, which may finish.
        let ends = try watch([.terminate, .interrupt])
        isReady.store(true, ordering: .releasing)
        log.info(
            "ready",
            metadata: [
                "socket": "\(config.socket)", "version": "\(Version.current)", "pods": "\(report.podsReady)",
                "pods_stopped": "\(report.podsStopped)", "pods_undone": "\(report.podsUndone)",
                "containers_running": "\(report.containersRunning)", "containers_exited": "\(report.containersExited)",
                "leftovers_removed": "\(report.leftoversRemoved)",
            ])
        health.begin()
        let heartbeat = await beginHeartbeat(manager, parts.runtime, log)
        let reloads = Task { [arrivals = hangUps.arrivals] in await node.reloading.run(for: arrivals) }
        let signal = await ends.first() == .interrupt ? "SIGINT" : "SIGTERM"
        log.info("ending; pods and containers keep running", metadata: ["signal": "\(signal)"])
        reloads.cancel()
        heartbeat.cancel()
        await heartbeat.value
        await manager.tell(.stopping(status: "ending; pods and containers keep running"), log)
        health.end()
        // Who waits for events would wait for ever.
        parts.runtime.inventory.events.close()
        parts.images.store.board.close()
        let unfinished = await server.shutdown(grace: Self.shutdownGrace)
        await parts.tracing?.stop(within: Self.tracingGrace)
        await inspect?.stop()
        await monitoring?.stop()
        // Who attached loses its streams, and execs end with their clients': neither could outlive the daemon.
        await parts.streaming.stop(grace: Self.streamingGrace)
        if unfinished > 0 {
            log.warning("calls were cut off", metadata: ["calls": "\(unfinished)"])
        }
        withExtendedLifetime((parts, ends, hangUps)) {}
    }

    private func watch(_ signals: [Signal]) throws -> SignalWatch {
        try Adapters.step("watch for signals", "\(signals.map(\.rawValue))") { () throws(Errno) in
            try SignalWatch(signals)
        }
    }

    private struct Parts {
        /// Held for as long as the daemon lives.
        let lock: StateRoot
        let runtime: Runtime
        let service: CRIService
        let images: ImageAdapter
        let streaming: StreamingServer
        let inspection: InspectAnswers
        let monitoring: MonitoringAnswers
        let tracing: TraceExporter?
        let pool: BlockingPool
        let reactor: Reactor
        let configuration: LiveConfiguration
    }

    private func assemble(_ log: Logger, _ control: LogControl) async throws -> Parts {
        let paths = Layout(root: config.root, state: config.state)
        for directory in [paths.rootPods, paths.rootContainers, paths.images, paths.networks, paths.statePods] {
            _ = try Adapters.step("make directory", directory) { () throws(Errno) in
                try OwnedFD.makeDirectories(directory)
            }
        }
        let lock = try Adapters.fault { () throws(StateError) in try StateRoot(path: config.root) }
        try Adapters.step("make directories in", paths.mountPoints) { () throws(Errno) in
            try MountPoints.make(at: paths.mountPoints)
        }
        let pool = BlockingPool(name: "work", threadsMax: Self.workThreadsMax)
        let reactor = try await Reactor.start()

        let (cgroups, own) = try makeCgroups(pool)
        let facts = try NodeFacts.read(cgroupMount: cgroups.mountPoint)
        let images = try await makeImages(paths, pool, log)
        let launcher = try openLauncher()
        let leaks = LeakTally()

        let supervisors = SupervisorAdapter(
            paths: paths, cgroupMount: cgroups.mountPoint,
            supervisorCgroup: { own.supervisors.description + "/" + $0.text }, launcher: launcher, reactor: reactor,
            pool: pool,
            log: log, leaks: leaks)
        let cni = try Adapters.fault { () throws(CNIError) in try CNI(cniOptions, recordDirectory: paths.networks) }
        try Adapters.fault { () throws(CNIError) in try cni.killLeftovers() }
        let ports = Ports(
            supervisors: supervisors,
            cgroups: CgroupAdapter(
                cgroups: cgroups.cgroups, own: own,
                pidsLimit: config.container.pidsLimit == 0 ? nil : config.container.pidsLimit,
                log: log),
            records: try RecordAdapter(root: lock, paths: paths, pool: pool, log: log),
            network: NetworkAdapter(cni: cni, paths: paths), images: images,
            host: HostAdapter(paths: paths, pool: pool, shmBytes: config.container.shmBytes, nodeFacts: facts),
            clock: SystemClock(), log: log, executor: pool, leaks: leaks)
        let defaults = try config.runtimeDefaults()
        let settings = Settings(
            specs: SpecBuilder(host: facts.host, defaults: defaults),
            plans: PlanBuilder(
                host: facts.host, defaults: defaults, seccomp: SeccompCompiler(watch: Self.seccompWatch)),
            copiesImageVolumes: config.image.volumes == "copy", execOutputBytesMax: config.exec.syncOutputBytesMax,
            execDrain: .milliseconds(config.exec.syncDrainMilliseconds))
        let configuration = liveConfiguration(control, settings, images.registry)
        let runtime = Runtime(ports: ports, settings: settings)
        let tracing = try startTracing(runtime, host: facts.host.hostname, log)
        supervisors.deliver { event, pod in await runtime.handle(event, from: pod) }
        let streaming = try await startStreaming(StreamAdapter(runtime: runtime, supervisors: supervisors))
        let service = CRIService(
            runtime: runtime, images: images,
            statistics: StatisticsAdapter(
                cgroups: cgroups.cgroups, supervisors: supervisors,
                layers: WritableLayers(paths: paths, pool: pool, log: log), layersDirectory: paths.rootContainers,
                pool: pool, log: log),
            streaming: StreamingAdapter(server: streaming),
            identity: .init(
                name: "swiftlet", version: Version.current, nodeHostname: facts.host.hostname,
                configurationJSON: { try configuration.current.statusJSON() }),
            log: log)
        return Parts(
            lock: lock, runtime: runtime, service: service, images: images, streaming: streaming,
            inspection: InspectAnswers(runtime: runtime, paths: paths, supervisors: supervisors, log: log),
            monitoring: monitoring(runtime, [images.statistics, supervisors, leaks, tracing]),
            tracing: tracing, pool: pool, reactor: reactor, configuration: configuration)
    }

    private func makeImages(_ paths: Layout, _ pool: BlockingPool, _ log: Logger) async throws -> ImageAdapter {
        var settings = ImageStoreConfiguration(path: paths.images)
        settings.pinned = config.image.pinned
        let store: ImageStore
        do {
            store = try await ImageStore.open(settings)
        } catch let error as ImageStoreError {
            throw error.fault
        }
        for problem in store.problems { log.warning("image store", metadata: ["problem": "\(problem)"]) }
        var client = RegistryConfiguration()
        config.registry.set(&client)
        client.userAgent = "swiftlet/\(Version.current)"
        return ImageAdapter(
            store: store,
            registry: RegistryClient(configuration: client, eventLoops: MultiThreadedEventLoopGroup.singleton),
            paths: paths, writable: WritableUsage(directory: paths.rootContainers, pool: pool), log: log,
            statistics: PullStatistics(board: store.board))
    }

    private func makeCgroups(_ pool: BlockingPool) throws -> ((cgroups: Cgroups, mountPoint: String), OwnCgroup) {
        try Adapters.fault { () throws(CgroupError) in
            let mountPoint = config.cgroup.mount.isEmpty ? try Cgroups.mountPoint() : config.cgroup.mount
            let cgroups = try Cgroups(
                mountPoint: mountPoint,
                names: CgroupNames(driver: .cgroupfs, prefix: config.cgroup.prefix, suffix: config.cgroup.suffix),
                requireControllers: !config.cgroup.tolerateMissingControllers, pool: pool)
            return ((cgroups, mountPoint), try cgroups.adoptDaemon(configured: config.cgroup.own))
        }
    }

    /// The binary is copied into a sealed memory file: replacing it on disk does not touch a running daemon (rule R5).
    private func openLauncher() throws -> SealedLauncher {
        let path: String
        if config.launcher.isEmpty {
            let own = try Adapters.step("read", "/proc/self/exe") { () throws(Errno) in
                try OwnedFD.open("/proc/self", [.readOnly, .directory]).readSymlink("exe")
            }
            let text = String(decoding: own, as: UTF8.self)
            path = text.prefix(upTo: text.lastIndex(of: "/") ?? text.startIndex) + "/swiftlet-launch"
        } else {
            path = config.launcher
        }
        return try Adapters.step("open the launcher", path) { () throws(Errno) in try SealedLauncher(path: Path(path)) }
    }

    private var cniOptions: CNI.Options {
        var options = CNI.Options()
        options.configurationDirectory = config.cni.confDir
        options.pluginDirectories = config.cni.binDirs
        options.limit = .seconds(config.cni.timeoutSeconds)
        switch config.cni.ipPreference {
        case "ipv6": options.preference = .ipv6
        case "cni": options.preference = .cni
        default: options.preference = .ipv4
        }
        return options
    }

    private func serve(
        _ parts: Parts, beside methods: [GRPCMethod], isReady: @escaping @Sendable () -> Bool, log: Logger
    ) async throws -> GRPCServer {
        var settings = GRPCServerConfiguration()
        settings.bodyExecutor = parts.pool
        settings.gate = { path in
            isReady() || NodeService.isAnsweredWhileRecovering(path)
                ? nil : GRPCStatus(code: .unavailable, message: "the daemon is recovering the state of this node")
        }
        let calls = config.metrics.address.isEmpty ? nil : parts.monitoring.calls
        let methods = Self.placed(parts.service.methods(), on: parts.reactor) + methods
        let quiet = Set(methods.lazy.map(\.path).filter(Self.isQuiet))
        settings.onCallEnd = { report in
            calls?.note(report)
            // Who waits for events or watches ends the call by leaving.
            let isWell =
                report.status.code == .ok
                || (report.status.code == .cancelled && Self.endsByLeaving.contains(report.path))
            let level: Logger.Level = isWell ? (quiet.contains(report.path) ? .debug : .info) : .warning
            log.log(
                level: level, "call",
                metadata: [
                    "method": "\(report.path.split(separator: "/").last ?? "")", "code": "\(report.status.code)",
                    "ms": "\(Double(report.duration.microseconds) / 1000)", "error": "\(report.status.message)",
                ].filter { $0.key != "error" || report.status.code != .ok })
        }
        try makeDirectory(of: config.socket)
        do throws(ListenError) {
            return try await GRPCServer.start(
                methods, at: .unix(path: config.socket, mode: 0o660, userID: 0, groupID: config.socketGroup),
                configuration: settings)
        } catch {
            throw Fault.precondition("\(error)")
        }
    }

    /// Nil unless the configuration names a socket.
    private func serveInspection(_ parts: Parts, _ log: Logger) async throws -> InspectServer? {
        let path = config.inspect.socket
        guard !path.isEmpty else { return nil }
        try makeDirectory(of: path)
        let answers = parts.inspection
        do throws(ListenError) {
            return try await InspectServer.start(at: path, groupID: config.socketGroup) { path in
                answers.body(at: path).map { HTTPAnswer(type: "application/json", body: $0) }
            }
        } catch {
            throw Fault.precondition("\(error)")
        }
    }

    /// Probes run on the thread that their supervisors' answers come from.
    private static func placed(_ methods: [GRPCMethod], on reactor: Reactor) -> [GRPCMethod] {
        methods.map { $0.path == CRIMethods.execSync.path ? $0.running(on: reactor.executor) : $0 }
    }

    private static let endsByLeaving = [
        CRIMethods.getContainerEvents.path, HealthMethods.watch.path, NodeMethods.watchPulls.path,
    ]

    /// Calls that a kubelet or a probe makes all day long.
    private static func isQuiet(_ path: String) -> Bool {
        let name = path.split(separator: "/").last ?? ""
        return name.hasPrefix("List") || name.hasPrefix("Stream") || name.hasSuffix("Status") || name.hasSuffix("Stats")
            || path.hasPrefix("/grpc.health.v1.") || name == "Version" || name == "ImageFsInfo"
            || name == "RuntimeConfig"
            // A node has hundreds of probes a second.
            || name == "ExecSync"
    }
}

/// The node's clock.
struct SystemClock: ClockPort {
    func now() -> Int64 { Clock.realtimeNanoseconds }
}
