package import Planner

/// What the daemon's configuration decides for pods and containers.
package struct Settings: Sendable {
    /// Defaults that go into every container's specification.
    package var defaults: ContainerDefaults
    /// "copy": image VOLUMEs get a directory filled from the image. False: "ignore".
    package var copiesImageVolumes: Bool
    /// Bytes of each stream that ExecSync returns.
    package var execOutputBytesMax: Int
    /// How long ExecSync waits for pipes that descendants keep open after the process has ended.
    package var execDrain: Duration
    /// How long a killed process may take to be reported as ended.
    package var killGrace: Duration

    package init(
        defaults: ContainerDefaults, copiesImageVolumes: Bool = true, execOutputBytesMax: Int = 16 << 20,
        execDrain: Duration = .seconds(1), killGrace: Duration = .seconds(10)
    ) {
        self.defaults = defaults
        self.copiesImageVolumes = copiesImageVolumes
        self.execOutputBytesMax = execOutputBytesMax
        self.execDrain = execDrain
        self.killGrace = killGrace
    }
}
