#if !hasFeature(Embedded)
    import CLinux

    extension Errno: CustomStringConvertible {
        /// The kernel's name, as "ENOENT".
        package var name: String {
            // The C library's table of literals; it lives as long as the process.
            guard let text = unsafe cl_errno_name(number) else { return "errno \(number)" }
            return unsafe String(cString: text)
        }

        /// The words of strerror(3) in lower case, as "no such file or directory".
        package var description: String {
            // As above.
            guard let text = unsafe cl_errno_text(number) else { return "errno \(number)" }
            let words = unsafe String(cString: text)
            let second = words.dropFirst().first
            // An abbreviation keeps its case: "RPC struct is bad".
            if let second, second.isUppercase { return words }
            return words.prefix(1).lowercased() + words.dropFirst()
        }
    }
#endif
