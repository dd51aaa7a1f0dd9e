/// A later offer of the same session: an ICE restart (RFC 9429 section 4.1.18), or the same offer again.
extension Negotiation {
    /// Whether it changes nothing of `earlier` but the client's ICE credentials: the DTLS association goes on (RFC 8842
    /// section 4). Another certificate or origin is another transport; so is another RTCPeerConnection with a kept
    /// certificate, whose origin differs.
    func continues(_ earlier: Negotiation) -> Bool {
        origin == earlier.origin && fingerprint == earlier.fingerprint && dtlsRole == earlier.dtlsRole
            && extensions == earlier.extensions && sends == earlier.sends
            && reducedSizeRTCP == earlier.reducedSizeRTCP && transportFeedback == earlier.transportFeedback
            && receives.elementsEqual(earlier.receives) { $0.isSameLine(as: $1) }
    }

    /// Takes over what stays. The answerer's credentials change where the offerer's do, and only there (RFC 8839 section
    /// 4.4.1.1.1).
    mutating func goOn(with earlier: Negotiation) {
        isContinuation = true
        receives = earlier.receives
        sessionID = earlier.sessionID
        version = earlier.version
        if remoteUfrag == earlier.remoteUfrag && remotePassword == earlier.remotePassword {
            (ufrag, password) = (earlier.ufrag, earlier.password)
        } else {
            version += 1
        }
    }
}

extension ReceiveMedia {
    /// Whether it is the same m-line, whatever we send in it with.
    fileprivate func isSameLine(as other: ReceiveMedia) -> Bool {
        mid == other.mid && kind == other.kind && payloadTypes == other.payloadTypes
            && (rtxSsrc == 0) == (other.rtxSsrc == 0)
    }
}
