// The launcher unpacks nothing: this file is not part of its Embedded build.
#if !hasFeature(Embedded)
    import CLinux

    extension OwnedFD {
        /// Writes a part of an array, with as many calls of write(2) as it takes.
        package func writeAll(_ bytes: ArraySlice<UInt8>) throws(Errno) {
            var done = 0
            while done < bytes.count {
                let start = done
                // The kernel reads only what lies between `start` and the end.
                let taken = try retrying {
                    unsafe bytes.withUnsafeBytes { buffer in
                        unsafe cl_write(raw, buffer.baseAddress.map { unsafe $0 + start }, buffer.count - start)
                    }
                }
                if taken == 0 { throw .noSpace }
                done += taken
            }
        }
    }
#endif
