import Lifecycle
import Linux
import Logging
import Registry

extension Daemon {
    /// The configuration with the places where a change of it has to arrive.
    func liveConfiguration(
        _ control: LogControl, _ settings: Settings, _ registry: RegistryClient
    ) -> LiveConfiguration {
        LiveConfiguration(config, read: readAgain) { config in
            control.set(config)
            settings.changeable.set(config.changeableSettings)
            registry.configure { config.registry.set(&$0) }
        }
    }

    /// Our own service beside the CRI.
    func nodeService(
        _ configuration: LiveConfiguration, _ manager: ServiceManager, _ runtime: Runtime, _ pool: BlockingPool,
        _ log: Logger
    ) -> NodeService {
        NodeService(
            configuration: configuration,
            reloading: Reloading(
                configuration: configuration, manager: manager, status: { Self.summary(runtime.inventory) }, pool: pool,
                log: log), operations: runtime.operations, log: log)
    }
}

extension Config {
    /// What of it `Lifecycle` looks at when it is needed.
    var changeableSettings: ChangeableSettings.Values {
        .init(
            copiesImageVolumes: image.volumes == "copy", execOutputBytesMax: exec.syncOutputBytesMax,
            execDrain: .milliseconds(exec.syncDrainMilliseconds))
    }
}
