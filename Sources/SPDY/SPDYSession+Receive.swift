import NIOCore

extension SPDYSession {
    func receive(_ event: FrameDecoder.Event) throws(SPDYError) {
        switch event {
        case .data(let id, let bytes, let isLast): try receiveData(id, bytes, isLast)
        case .control(.synStream(let id, let headers, let isLast, let isUnidirectional)):
            try receiveStream(id, headers, isLast: isLast, isUnidirectional: isUnidirectional)
        case .control(.synReply(let id, _, let isLast)):
            guard let stream = streams[id], stream.isOurs, !stream.isAccepted else { return }
            stream.isAccepted = true
            stream.delegate?.streamAccepted(stream)
            if isLast { endPeer(of: stream) }
        case .control(.headers(let id, _, let isLast)):
            if isLast, let stream = streams[id] { endPeer(of: stream) }
        case .control(.rstStream(let id, let status)):
            guard let stream = streams[id] else { return }
            let delegate = stream.delegate
            drop(stream)
            delegate?.streamReset(stream, status)
        case .control(.settings(let settings)): try receive(settings)
        case .control(.ping(let id)):
            // Clients number theirs oddly, servers evenly; one of our own is an echo.
            if id % 2 == (role == .server ? 1 : 0) { answer(.ping(id)) }
        case .control(.goAway(let lastID, _)): receiveGoAway(lastID)
        case .control(.windowUpdate(let id, let delta)): try receiveCredit(Int(delta), for: id)
        }
    }

    private func receiveStream(
        _ id: UInt32, _ headers: SPDYHeaders, isLast: Bool, isUnidirectional: Bool
    ) throws(SPDYError) {
        guard id % 2 == (role == .server ? 1 : 0), id > lastPeerID else {
            throw SPDYError("SYN_STREAM \(id) comes after \(lastPeerID)")
        }
        lastPeerID = id
        guard peerStreams < limits.streamsMax else {
            refusals += 1
            guard refusals <= limits.strayFramesMax else { throw SPDYError("peer opens streams without end") }
            return answer(.rstStream(id: id, status: .refusedStream))
        }
        let stream = SPDYStream(
            id: id, headers: headers, session: self, isOurs: false, creditBytes: peerInitialWindow)
        stream.haveWeEnded = isUnidirectional
        stream.isFinalSent = isUnidirectional
        streams[id] = stream
        peerStreams += 1
        delegate?.session(self, opened: stream)
        if isLast { endPeer(of: stream) }
    }

    private func receiveData(_ id: UInt32, _ bytes: ByteBuffer, _ isLast: Bool) throws(SPDYError) {
        countReceived(bytes.readableBytes)
        guard let stream = streams[id] else {
            let wasOpen = id % 2 == (role == .server ? 1 : 0) ? id <= lastPeerID : isOurOldID(id)
            // What a peer had sent before it saw our RST_STREAM.
            guard wasOpen else { throw SPDYError("DATA for stream \(id), which was never opened") }
            return
        }
        if stream.hasPeerEnded {
            let delegate = stream.delegate
            stream.reset(.streamAlreadyClosed)
            delegate?.streamReset(stream, .streamAlreadyClosed)
            return
        }
        if bytes.readableBytes > 0 { deliver(bytes, to: stream) }
        if isLast { endPeer(of: stream) }
    }

    private func endPeer(of stream: SPDYStream) {
        guard !stream.isDead, !stream.hasPeerEnded else { return }
        stream.hasPeerEnded = true
        stream.delegate?.streamEnded(stream)
        dropIfDone(stream)
    }

    private func receiveGoAway(_ lastID: UInt32) {
        isPeerLeaving = true
        for stream in sortedStreams where stream.isOurs && stream.id > lastID {
            let delegate = stream.delegate
            drop(stream)
            delegate?.streamReset(stream, .refusedStream)
        }
        closeIfDone()
    }

    // MARK: Removal

    /// Forgets a stream; nothing is told to anybody.
    func drop(_ stream: SPDYStream) {
        guard !stream.isDead else { return }
        stream.isDead = true
        remove(stream)
        stream.pending.removeAll()
        let unconsumed = stream.unconsumedBytes
        stream.unconsumedBytes = 0
        release(unconsumed)
        closeIfDone()
    }

    func dropIfDone(_ stream: SPDYStream) {
        guard stream.hasPeerEnded, stream.isFinalSent, !stream.isDead, streams[stream.id] != nil else { return }
        // Bytes that its receiver still holds go on to count.
        let delegate = stream.delegate
        remove(stream)
        delegate?.streamFinished(stream)
        closeIfDone()
    }

    private func remove(_ stream: SPDYStream) {
        stream.delegate = nil
        guard streams.removeValue(forKey: stream.id) != nil, !stream.isOurs else { return }
        peerStreams -= 1
    }
}
