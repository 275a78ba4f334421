import Linux

extension LayerWriter {
    mutating func hideLower(_ path: LayerPath) throws(ImageStoreError) {
        // Overlayfs does not look for the mark at the root of a layer: what is below the layer is left out instead.
        if path.isRoot {
            isRootOpaque = true
            return
        }
        let directory = try open(path)
        try Self.attempt("unpack whiteout in", path.bytes) { () throws(Errno) in
            let opened = try directory.fd.reopen([.readOnly, .directory])
            try opened.setAttribute(Overlay.opaqueAttribute, Overlay.yes)
        }
    }

    mutating func remove(lower name: Path, in path: LayerPath) throws(ImageStoreError) {
        let directory = try open(path)
        let existing = try Self.attempt("unpack whiteout in", path.bytes) { () throws(Errno) in
            try directory.fd.existing(name)
        }
        if let existing {
            // A whiteout is about lower layers only; what this layer has under the name stays and hides theirs.
            guard existing.kind == .directory else { return }
            return try Self.attempt("unpack whiteout in", path.bytes) { () throws(Errno) in
                let opened = try directory.fd.open(name, [.readOnly, .directory, .noFollow])
                try opened.setAttribute(Overlay.opaqueAttribute, Overlay.yes)
            }
        }
        try budget.addInode()
        usage.addInode()
        try Self.attempt("unpack whiteout in", path.bytes) { () throws(Errno) in
            try directory.fd.makeNode(name, kind: .characterDevice, mode: 0)
        }
    }
}
