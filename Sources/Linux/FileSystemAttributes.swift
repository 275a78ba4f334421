// The launcher unpacks nothing: this file is not part of its Embedded build.
#if !hasFeature(Embedded)
    import CLinux

    extension OwnedFD {
        /// The corresponding C function is `fsetxattr`; EBADF for an O_PATH descriptor.
        package func setAttribute(_ name: Path, _ value: [UInt8]) throws(Errno) {
            let size = value.count
            try name.call { name in
                // The kernel reads `size` bytes, and that many there are.
                unsafe value.withUnsafeBytes { unsafe cl_fsetxattr(raw, name.pointer, $0.baseAddress, size) }
            }
        }

        /// The corresponding C function is `fgetxattr`; nil where there is no such attribute.
        package func attribute(_ name: Path) throws(Errno) -> [UInt8]? {
            var value = [UInt8](repeating: 0, count: 65536)
            let size = value.count
            do throws(Errno) {
                let length = try name.call { name in
                    // XATTR_SIZE_MAX is the size of the buffer.
                    unsafe value.withUnsafeMutableBytes { unsafe cl_fgetxattr(raw, name.pointer, $0.baseAddress, size) }
                }
                return Array(value.prefix(length))
            } catch Errno.noData, Errno.notSupported {
                return nil
            }
        }

        /// The corresponding C function is `flistxattr`; none where the file system has no attributes.
        package func attributeNames() throws(Errno) -> [[UInt8]] {
            var names = [UInt8](repeating: 0, count: 65536)
            let size = names.count
            do throws(Errno) {
                let length = try retrying {
                    // XATTR_LIST_MAX is the size of the buffer.
                    unsafe names.withUnsafeMutableBytes {
                        unsafe cl_flistxattr(raw, $0.baseAddress?.assumingMemoryBound(to: CChar.self), size)
                    }
                }
                return names.prefix(length).split(separator: 0).map { Array($0) }
            } catch Errno.notSupported {
                return []
            }
        }

        /// The corresponding C function is `utimensat` with AT_SYMLINK_NOFOLLOW, in this directory: both times are set
        /// to one. The empty path is the descriptor itself.
        package func changeTimes(_ path: Path = "", seconds: Int64, nanoseconds: Int64) throws(Errno) {
            try path.call {
                unsafe cl_set_times(raw, $0.pointer, seconds, nanoseconds, seconds, nanoseconds)
            }
        }
    }
#endif
