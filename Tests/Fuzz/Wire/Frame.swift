import Wire

/// Frames: classification and every view that it leads to, and the replies in place.
func fuzzFrame(_ input: UnsafeRawBufferPointer) {
    switch DatagramFrame.classify(input) {
    case .udp(let datagram):
        precondition(datagram.payloadOffset + datagram.payloadLength <= input.count)
        use(datagram.payload)
        use(datagram.source.address.low ^ datagram.destination.address.low ^ datagram.sourceMAC.bits)
        use(datagram.trafficClass)
    case .arp:
        if let arp = ARPPacket(frame: input) {
            withBlock(ARPPacket.frameLength) { block in
                arp.write(to: block.baseAddress!)
                precondition(ARPPacket(frame: UnsafeRawBufferPointer(block)) == arp)
            }
        }
    case .icmp:
        withCopy(input) { copy in
            let echo = ICMPEcho(frame: UnsafeRawBufferPointer(copy))!
            precondition(echo.frameLength <= input.count)
            let source = echo.source
            echo.reply(in: copy.baseAddress!, from: MACAddress(1))
            precondition(echo.destination == source)
            use(UnsafeRawBufferPointer(copy))
        }
    case .neighbor:
        if let solicitation = NeighborSolicitation(frame: input) {
            withBlock(NeighborAdvertisement.frameLength) { block in
                let answer = NeighborAdvertisement(answering: solicitation, owner: MACAddress(7))
                answer.write(to: block.baseAddress!, nextHop: solicitation.sourceMAC)
                use(UnsafeRawBufferPointer(block))
            }
        }
        if let advertisement = NeighborAdvertisement(frame: input) { use(advertisement.targetMAC.bits) }
    case .fragment, .notOurs, .truncated, .badAddress: break
    }
}
