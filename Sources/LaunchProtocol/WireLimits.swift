/// Bounds of everything on the wire; the encoder refuses what the decoder would refuse.
package enum WireLimits {
    /// One datagram, header included; what is larger travels in a sealed memfd.
    package static let datagramBytes = 65_536
    /// File descriptors in one datagram.
    package static let descriptorsMax = 16
    /// An encoded plan.
    package static let planBytes = 4 << 20
    package static let stepsMax = 8_192
    /// Any one text: what execve(2) takes as one argument (MAX_ARG_STRLEN, its NUL included).
    package static let textBytes = 131_071
    /// Arguments and environment of one execve(2) together, a pointer and a NUL counted for each, as the kernel does.
    package static let executeBytes = 2 << 20
    package static let argumentsMax = 65_536
    /// Lower directories of one overlay.
    package static let lowersMax = 512
    package static let optionsMax = 64
    /// A value of fsconfig(2) (its limit is 256 with the NUL).
    package static let optionBytes = 255
    package static let groupsMax = 65_536
    /// Names of processes and pods; they become file names.
    package static let nameBytes = 128
    /// What a failing step was doing; longer text is cut.
    package static let detailBytes = 1_024
    /// 4,096 instructions of classic BPF (BPF_MAXINSNS).
    package static let filterBytes = 4_096 * 8
    /// An exit record as a file.
    package static let exitFileBytes = 4_096
}
