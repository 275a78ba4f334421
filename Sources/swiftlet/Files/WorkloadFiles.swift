import CLICore
import CRIProto
import Foundation

/// Reads a pod's configuration; a pod without a uid gets one, as crictl does it.
func readPodConfig(_ path: String) throws(Failure) -> Runtime_V1_PodSandboxConfig {
    var config = try MessageFile.read(Runtime_V1_PodSandboxConfig.self, from: path)
    guard config.hasMetadata else { throw Failure("\(path): metadata is not set") }
    guard !config.metadata.name.isEmpty else { throw Failure("\(path): metadata.name is not set") }
    guard !config.metadata.namespace.isEmpty else { throw Failure("\(path): metadata.namespace is not set") }
    if config.metadata.uid.isEmpty { config.metadata.uid = UUID().uuidString.lowercased() }
    return config
}

/// Reads a container's configuration.
func readContainerConfig(_ path: String) throws(Failure) -> Runtime_V1_ContainerConfig {
    let config = try MessageFile.read(Runtime_V1_ContainerConfig.self, from: path)
    guard config.hasMetadata, !config.metadata.name.isEmpty else { throw Failure("\(path): metadata.name is not set") }
    guard config.hasImage, !config.image.image.isEmpty else { throw Failure("\(path): image.image is not set") }
    return config
}
