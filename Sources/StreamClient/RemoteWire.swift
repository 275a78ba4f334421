import NIOCore

/// One way to carry the streams of a remote process. All of it happens on the channel's event loop.
protocol RemoteWire: AnyObject {
    /// The handlers of a new connection; `upgraded` gets the protocol that the server chose.
    func handlers(_ url: StreamURL, upgraded: EventLoopPromise<String>) throws -> [any ChannelHandler]
    /// Sends input; the promise is kept when more may come.
    func send(_ bytes: ByteBuffer, promise: EventLoopPromise<Void>)
    /// Says that the input has ended; false where the protocol cannot.
    func endInput() -> Bool
    /// Sends the terminal's size as JSON.
    func resize(_ json: ByteBuffer)
    /// An item of the inbox was taken.
    func consumed(_ item: Inbox.Item)
    /// Tells the server that the connection is about to be closed.
    func sayGoodbye()
}
