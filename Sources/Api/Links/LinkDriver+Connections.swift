import Fleet
import Logging
import NIOCore
import NIOPosix
import Wire

/// Connections: those that are made, those that come, and their ends.
extension LinkDriver {
    /// A PoP's addresses that are tried one after the other.
    private static var mostAddresses: Int { 4 }
    /// For TCP, an address.
    private static var connectTimeout: TimeAmount { .seconds(2) }

    func perform(_ action: LinkRoster.Action) {
        switch action {
        case .dial(let peer, let id):
            let addresses = (addresses[peer] ?? []).prefix(Self.mostAddresses)
            dials[id] = Dial(peer: peer, rest: addresses, failure: .unreachable("its address is not known"))
            dialNext(id)
        case .close(let id, let last): channels.removeValue(forKey: id)?.finish(last, at: now)
        }
    }

    // MARK: Out

    private func dialNext(_ id: LinkRoster.ConnectionID) {
        guard let dial = dials[id] else { return }
        guard !isStopping, let address = dial.rest.first else {
            dials[id] = nil
            roster.closed(id, dial.failure, at: now, using: &random)
            return workSoon()
        }
        dials[id]?.rest = dial.rest.dropFirst()
        let this = NIOLoopBound(self, eventLoop: eventLoop)
        ClientBootstrap(group: eventLoop)
            .connectTimeout(Self.connectTimeout)
            .channelOption(.autoRead, value: false)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try this.value.prepare(channel, for: id) }
            }
            .connect(host: address.host, port: address.port)
            .assumeIsolated().whenComplete { result in
                switch result {
                case .success(let channel): this.value.connected(channel, for: id, address)
                case .failure(let error): this.value.failed(id, .unreachable("\(address): \(Self.text(error))"))
                }
            }
    }

    private func prepare(_ channel: any Channel, for id: LinkRoster.ConnectionID) throws {
        try add(to: channel, isClient: true).id = id
    }

    /// Of the connections to all addresses of a host's name this is the first.
    private func connected(_ channel: any Channel, for id: LinkRoster.ConnectionID, _ address: LinkAddress) {
        guard dials[id] != nil, let link = try? channel.pipeline.syncOperations.handler(type: LinkChannel.self) else {
            return channel.close(promise: nil)
        }
        guard channel.isActive else { return failed(id, .unreachable("\(address): it closed at once")) }
        dials[id]?.channel = link
    }

    private func add(to channel: any Channel, isClient: Bool) throws -> LinkChannel {
        let tls = try TLSHandler(configuration.certificates.peerContext(isClient: isClient))
        let link = LinkChannel(tls: tls, patience: policy.silence, owner: self)
        try channel.pipeline.syncOperations.addHandlers([tls, link])
        return link
    }

    /// The address leads nowhere: the next one.
    private func failed(_ id: LinkRoster.ConnectionID, _ failure: LinkFailure) {
        guard dials[id] != nil else { return }
        dials[id]?.failure = failure
        dials[id]?.channel = nil
        dialNext(id)
    }

    private static func text(_ error: any Error) -> String {
        guard let failures = error as? NIOConnectionError else { return "\(error)" }
        return failures.connectionErrors.first.map { "\($0.error)" } ?? "its name is not known"
    }

    // MARK: In

    /// A stranger has connected.
    func accept(_ channel: any Channel) throws {
        let site = Endpoint(channel.remoteAddress)?.address.subscriber
        guard !isStopping, shaking.count < Self.mostShaking, site.map(shakingSites.hasRoom) ?? true else {
            refuse(channel.remoteAddress?.ipAddress ?? "?", isStopping ? .stopping : .full)
            return channel.close(promise: nil)
        }
        let link = try add(to: channel, isClient: false)
        shaking[ObjectIdentifier(link)] = link
        if let site { shakingSites.add(site) }
    }

    private func leaveHandshake(_ channel: LinkChannel) -> Bool {
        guard shaking.removeValue(forKey: ObjectIdentifier(channel)) != nil else { return false }
        if let site = channel.remoteAddress?.subscriber { shakingSites.remove(site) }
        return true
    }

    // MARK: Both

    func established(_ channel: LinkChannel, names: [String]) {
        let name = LinkConfiguration.pop(of: names)
        if leaveHandshake(channel) {
            guard let name else {
                refuse(channel.remote, .tls("the first DNS name of its certificate is no PoP's name"))
                return channel.finish(at: now)
            }
            guard let id = roster.accept(certified: name, at: now) else {
                refuse(name.rawValue, .full)
                return channel.finish(at: now)
            }
            channel.id = id
            channels[id] = channel
        } else if let id = channel.id, let dial = dials[id], dial.channel === channel {
            guard let name, name == dial.peer else {
                channel.finish(at: now)
                return failed(id, name.map(LinkFailure.otherName) ?? .tls("its certificate names no PoP"))
            }
            dials[id] = nil
            channels[id] = channel
            roster.connected(id, at: now)
        }
        workSoon()
    }

    func ended(_ channel: LinkChannel, _ failure: LinkFailure) {
        if leaveHandshake(channel) {
            refuse(channel.remote, failure)
        } else if let id = channel.id, dials[id]?.channel === channel {
            self.failed(id, failure)
        } else if let id = channel.id, channels[id] === channel {
            channels[id] = nil
            roster.closed(id, failure, at: now, using: &random)
            workSoon()
        }
    }

    /// Says goodbye to all.
    func stop() {
        isStopping = true
        for peer in Array(addresses.keys) { roster.want(peer, false, at: now) }
        for peer in roster.linked { roster.part(peer, .stopping, at: now, using: &random) }
        handle()
        for channel in Array(channels.values) + Array(shaking.values) + dials.values.compactMap(\.channel) {
            channel.finish(at: now)
        }
        channels = [:]
        shaking = [:]
        dials = [:]
    }
}
