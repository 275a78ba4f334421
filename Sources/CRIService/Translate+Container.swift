import CRIProto
import Lifecycle
import Model
import Planner

extension Translate {
    static func container(_ config: Runtime_V1_ContainerConfig) throws(Fault) -> ContainerConfig {
        let metadata = try Check.present(config.hasMetadata, config.metadata, "config.metadata")
        try Check.name(metadata.name, "config.metadata.name")
        let image = try Check.present(config.hasImage, config.image, "config.image")
        try self.image(image, "config.image")
        var container = ContainerConfig(
            metadata: ContainerMetadata(name: metadata.name, attempt: metadata.attempt), image: image.image)
        container.userSpecifiedImage = image.userSpecifiedImage
        container.command = try arguments(config.command, "config.command")
        container.args = try arguments(config.args, "config.args")
        if !config.workingDir.isEmpty { try Check.absolutePath(config.workingDir, "config.working_dir") }
        container.workingDirectory = config.workingDir
        container.environment = try environment(config.envs)
        container.mounts = try mounts(config.mounts)
        container.devices = try devices(config.devices)
        try Check.map(config.labels, "config.labels")
        container.labels = config.labels
        try Check.map(config.annotations, "config.annotations")
        _ = try LogRules.limits(container: config.annotations)
        container.annotations = config.annotations
        if !config.logPath.isEmpty { try Check.relativePath(config.logPath, "config.log_path") }
        container.logPath = config.logPath
        container.stdin = config.stdin
        guard !config.stdinOnce || config.stdin else { throw Fault.invalid("config.stdin_once: set without stdin") }
        container.stdinOnce = config.stdinOnce
        container.tty = config.tty
        guard !config.hasWindows else { throw Fault.invalid("config.windows: this is a Linux node") }
        try Check.unset(config.cdiDevices.isEmpty, "config.CDI_devices", "CDI devices are")
        container.stopSignal = try signal(config.stopSignal, "config.stop_signal")
        guard config.hasLinux else { return container }
        if config.linux.hasResources {
            container.resources = try resources(config.linux.resources, "config.linux.resources")
        }
        if config.linux.hasSecurityContext {
            container.security = try security(config.linux.securityContext, "config.linux.security_context")
        }
        return container
    }

    static func image(_ image: Runtime_V1_ImageSpec, _ field: String) throws(Fault) {
        guard !image.image.isEmpty else { throw Fault.invalid("\(field).image: empty") }
        try Check.text(image.image, "\(field).image", bytesMax: 1024)
        try Check.text(image.userSpecifiedImage, "\(field).user_specified_image", bytesMax: 1024)
        try Check.map(image.annotations, "\(field).annotations")
        _ = try runtimeHandler(image.runtimeHandler, "\(field).runtime_handler")
        // Only statuses carry it.
        try Check.unset(image.imageRef.isEmpty, "\(field).image_ref", "a reference in a request is")
    }

    /// What is to be executed: a program and its arguments.
    static func command(_ list: [String], _ field: String) throws(Fault) -> [String] {
        guard list.first?.isEmpty == false else { throw Fault.invalid("\(field): empty, or its first word is") }
        return try arguments(list, field)
    }

    static func arguments(_ list: [String], _ field: String) throws(Fault) -> [String] {
        try Check.count(list.count, field, max: 65_536)
        var bytes = 0
        for argument in list {
            try Check.noNUL(argument, field)
            bytes += argument.utf8.count + 1
            guard argument.utf8.count <= Check.argumentBytesMax, bytes <= Check.argumentsBytesMax else {
                throw Fault.invalid("\(field): longer than the kernel takes (execve(2))")
            }
        }
        return list
    }

    private static func environment(_ list: [Runtime_V1_KeyValue]) throws(Fault) -> [EnvironmentVariable] {
        try Check.count(list.count, "config.envs", max: 65_536)
        var bytes = 0
        var variables: [EnvironmentVariable] = []
        variables.reserveCapacity(list.count)
        for variable in list {
            guard !variable.key.isEmpty, !variable.key.utf8.contains(where: { $0 == 0 || $0 == 0x3d }) else {
                throw Fault.invalid("config.envs.key: \"\(Check.shortened(variable.key))\" is no name of a variable")
            }
            guard !variable.value.contains(0) else {
                throw Fault.invalid(
                    "config.envs.value: variable \"\(Check.shortened(variable.key))\" carries a NUL byte")
            }
            let size = variable.key.utf8.count + variable.value.count + 2
            bytes += size
            guard size <= Check.argumentBytesMax, bytes <= Check.argumentsBytesMax else {
                throw Fault.invalid("config.envs: longer than the kernel takes (execve(2))")
            }
            variables.append(EnvironmentVariable(name: variable.key, value: Array(variable.value)))
        }
        return variables
    }

    private static func mounts(_ list: [Runtime_V1_Mount]) throws(Fault) -> [ContainerMount] {
        try Check.count(list.count, "config.mounts")
        var mounts: [ContainerMount] = []
        for mount in list {
            let field = "config.mounts"
            try Check.unset(!mount.hasImage, "\(field).image", "image volumes are")
            try Check.unset(mount.imageSubPath.isEmpty, "\(field).image_sub_path", "image volumes are")
            try Check.unset(
                mount.uidMappings.isEmpty && mount.gidMappings.isEmpty, "\(field).uidMappings", "id-mapped mounts are")
            try Check.unset(!mount.recursiveReadOnly, "\(field).recursive_read_only", "recursive read-only mounts are")
            try Check.unset(mount.mountOptions.isEmpty, "\(field).mount_options", "additional mount options are")
            try Check.absolutePath(mount.containerPath, "\(field).container_path")
            try Check.absolutePath(mount.hostPath, "\(field).host_path")
            var translated = ContainerMount(containerPath: mount.containerPath, hostPath: mount.hostPath)
            translated.readonly = mount.readonly
            translated.selinuxRelabel = mount.selinuxRelabel
            switch mount.propagation {
            case .propagationPrivate: translated.propagation = .private
            case .propagationHostToContainer: translated.propagation = .hostToContainer
            case .propagationBidirectional: translated.propagation = .bidirectional
            case .UNRECOGNIZED(let number): throw Fault.invalid("\(field).propagation: unknown value \(number)")
            }
            mounts.append(translated)
        }
        return mounts
    }

    private static func devices(_ list: [Runtime_V1_Device]) throws(Fault) -> [ContainerDevice] {
        try Check.count(list.count, "config.devices")
        var devices: [ContainerDevice] = []
        for device in list {
            try Check.absolutePath(device.containerPath, "config.devices.container_path")
            try Check.absolutePath(device.hostPath, "config.devices.host_path")
            guard !device.permissions.isEmpty, device.permissions.utf8.count <= 3,
                device.permissions.allSatisfy({ "rwm".contains($0) })
            else {
                throw Fault.invalid(
                    "config.devices.permissions: \"\(Check.shortened(device.permissions))\" is no non-empty subset of \"rwm\""
                )
            }
            devices.append(
                ContainerDevice(
                    containerPath: device.containerPath, hostPath: device.hostPath, permissions: device.permissions))
        }
        return devices
    }
}
