import LaunchProtocol
import Linux

extension StepRunner {
    mutating func mask(target: Bytes) throws(Errno) {
        detail = target
        guard let place = try existing(target) else { return }
        if try place.status().kind == .directory {
            try coverDirectory(place)
        } else {
            try coverFile(place)
        }
    }

    /// A clone of the node's own device, never of one in the container's tree (CVE-2025-31133). Read-only, so that root in
    /// the container cannot change owner, mode or times of the node's file; reads and writes of a device are not affected.
    private mutating func coverFile(_ place: borrowing OwnedFD) throws(Errno) {
        if nullDevice == nil {
            let node = try OwnedFD.open("/dev/null", [.path, .noFollow])
            let status = try node.status()
            guard status.kind == .characterDevice, status.major == 1, status.minor == 3 else { throw .noDevice }
            nullDevice = consume node
        }
        let clone = try nullDevice.lend { device throws(Errno) in try MountHandle.clone(of: device, recursive: false) }
        guard let mount = clone else { throw .badDescriptor }
        try mount.set([.readOnly, .noSetuid, .noExecute], propagation: .private, recursive: false)
        try mount.attach(to: place)
    }

    private mutating func coverDirectory(_ place: borrowing OwnedFD) throws(Errno) {
        let flags: MountFlags = [.readOnly, .noSetuid, .noDevices, .noExecute]
        let clone = try emptyDirectory.lend { empty throws(Errno) in try MountHandle.clone(of: empty, recursive: false)
        }
        if let mount = clone {
            try mount.attach(to: place)
            return
        }
        let context = try FilesystemContext(type: "tmpfs")
        try context.set("source", "tmpfs")
        try context.set("mode", "755")
        let mount = try context.mount(flags)
        try mount.attach(to: place)
        // Attached to this namespace it can be cloned, on 6.1 too.
        emptyDirectory = mount.takeDescriptor()
    }

    mutating func makeReadonly(target: Bytes) throws(Errno) {
        detail = target
        guard let place = try existing(target) else { return }
        let mount = try MountHandle.clone(of: place, recursive: true)
        try mount.set(.readOnly, recursive: true)
        try mount.attach(to: place)
    }

    /// nil where there is nothing to be covered: kernels differ in what /proc and /sys hold.
    private func existing(_ target: Bytes) throws(Errno) -> OwnedFD? {
        try requireRoot()
        do throws(Errno) {
            return try root.resolve(Path(target))
        } catch {
            if error == .noEntry || error == .notDirectory { return nil }
            throw error
        }
    }
}
