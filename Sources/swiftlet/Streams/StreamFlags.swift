import ArgumentParser
import CLICore
import StreamClient

/// The flags that say how streams are carried, named as crictl names them.
struct StreamFlags: ParsableArguments {
    @Option(name: [.customShort("r"), .long], help: "What carries the streams: spdy or websocket.")
    var transport = StreamOptions.Transport.spdy

    @Option(
        name: [.long, .customLong("tls-server-name")],
        help: "The name to look for in the certificate of an https server (default: its host).")
    var tlsSni: String?

    @Option(help: "The authorities of https servers, a PEM file (default: the system's).", completion: .file())
    var tlsCa: String?

    @Option(help: "This client's certificate for https servers, a PEM file.", completion: .file())
    var tlsCert: String?

    @Option(help: "The certificate's key, a PEM file.", completion: .file())
    var tlsKey: String?

    @Flag(help: "Take any certificate of an https server.")
    var tlsSkipVerify = false

    func validate() throws {
        if (tlsCert == nil) != (tlsKey == nil) { throw ValidationError("--tls-cert and --tls-key belong together") }
        if tlsSkipVerify, tlsCa != nil { throw ValidationError("--tls-skip-verify makes --tls-ca pointless") }
    }

    var options: StreamOptions {
        var tls = StreamTLS()
        tls.authorityFile = tlsCa
        tls.certificateFile = tlsCert
        tls.keyFile = tlsKey
        tls.serverName = tlsSni
        tls.skipsVerification = tlsSkipVerify
        return StreamOptions(transport: transport, tls: tls)
    }
}

extension StreamOptions.Transport: ExpressibleByArgument {}
