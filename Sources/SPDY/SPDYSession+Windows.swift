import NIOCore

/// Flow control, for peers that take part in it (SPDY/3.1, 2.6.8).
extension SPDYSession {
    /// How much the peer lets us send on a stream now.
    func window(of stream: SPDYStream) -> Int {
        guard isPeerPaced else { return .max }
        return max(0, min(stream.creditBytes - stream.sentBytes, sessionCredit - sessionSent))
    }

    /// Sends as much as the windows allow, and the FIN behind all of it.
    func sendPending(of stream: SPDYStream) {
        guard phase == .running, !stream.isDead else { return }
        while let first = stream.pending.first {
            let room = min(window(of: stream), FrameFormat.dataBytesMax)
            guard room > 0 else { break }
            let isWhole = first.readableBytes <= room
            let isLast = isWhole && stream.pending.count == 1 && stream.haveWeEnded
            var bytes = stream.pending.removeFirst()
            if isWhole {
                sendData(bytes, of: stream, isLast: isLast)
            } else {
                let part = bytes.readSlice(length: room)
                stream.pending.prepend(bytes)
                sendData(part, of: stream, isLast: false)
            }
            if isLast { stream.isFinalSent = true }
        }
        if stream.pending.isEmpty, stream.haveWeEnded, !stream.isFinalSent {
            stream.isFinalSent = true
            sendData(nil, of: stream, isLast: true)
        }
        flushIfNeeded()
        dropIfDone(stream)
        closeIfDone()
    }

    func receive(_ settings: [ControlFrame.Setting]) throws(SPDYError) {
        guard let setting = settings.last(where: { $0.id == ControlFrame.Setting.initialWindowSize }) else { return }
        let window = Int(setting.value)
        guard window <= Int(Int32.max) else { throw SPDYError("initial window of \(window) bytes") }
        let growth = window - peerInitialWindow
        peerInitialWindow = window
        for stream in streams.values { stream.creditBytes += growth }
        pacePeer()
        if growth > 0 { resumeStreams() }
    }

    func receiveCredit(_ delta: Int, for id: UInt32) throws(SPDYError) {
        guard delta > 0 else { throw SPDYError("WINDOW_UPDATE of nothing") }
        pacePeer()
        if id == 0 {
            sessionCredit += delta
            guard sessionCredit - sessionSent <= Int(Int32.max) else { throw SPDYError("session window overflows") }
            return resumeStreams()
        }
        guard let stream = streams[id] else { return }
        stream.creditBytes += delta
        guard stream.creditBytes - stream.sentBytes <= Int(Int32.max) else {
            let delegate = stream.delegate
            stream.reset(.flowControlError)
            delegate?.streamReset(stream, .flowControlError)
            return
        }
        resume(stream)
    }

    /// From now on the peer is told what was consumed, also before.
    private func pacePeer() {
        guard !isPeerPaced else { return }
        isPeerPaced = true
        countReceived(0)
        for stream in sortedStreams { announceWindow(of: stream) }
    }

    /// The session's window is given back at once: what bounds memory is `bufferedBytesMax`.
    func countReceived(_ count: Int) {
        sessionUnannounced += count
        guard isPeerPaced, sessionUnannounced >= 1 << 20 else { return }
        let delta = sessionUnannounced
        sessionUnannounced = 0
        answer(.windowUpdate(id: 0, delta: min(UInt32(clamping: delta), FrameFormat.windowDeltaMax)))
    }

    /// Told in large steps, for each is a frame.
    func announceWindow(of stream: SPDYStream) {
        guard isPeerPaced, stream.isPeerOpen, stream.unannouncedBytes >= limits.windowBytes / 2 else { return }
        let delta = stream.unannouncedBytes
        stream.unannouncedBytes = 0
        answer(.windowUpdate(id: stream.id, delta: min(UInt32(clamping: delta), FrameFormat.windowDeltaMax)))
    }

    private func resumeStreams() {
        for stream in sortedStreams { resume(stream) }
    }

    private func resume(_ stream: SPDYStream) {
        sendPending(of: stream)
        if stream.isWritable { stream.delegate?.streamBecameWritable(stream) }
    }
}
