import NIOCore

/// Frames for many sockets that leave together: one task for each event loop, however many sockets it has.
struct SignalingBatch {
    private struct Share {
        var eventLoop: any EventLoop
        var writes: [(SignalingConnection, ByteBuffer)]
    }

    private var shares: [ObjectIdentifier: Share] = [:]

    mutating func add(_ frames: ByteBuffer, to socket: any SignalingSocket) {
        guard let connection = socket as? SignalingConnection else { return socket.send(frames) }
        let key = ObjectIdentifier(connection.eventLoop)
        shares[key, default: Share(eventLoop: connection.eventLoop, writes: [])].writes.append((connection, frames))
    }

    consuming func send() {
        for share in shares.values {
            let writes = share.writes
            share.eventLoop.execute { for (connection, frames) in writes { connection.write(frames) } }
        }
    }
}
