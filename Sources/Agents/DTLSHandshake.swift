import COpenSSL
import Wire

/// One DTLS-SRTP association (RFC 5764) without I/O: datagrams and time come in as arguments, datagrams go out
/// through `nextOutgoing`. One thread or actor owns it, the same that owns the Certificate.
///
/// Time is nanoseconds of any monotonic clock. OpenSSL 3.0 reads the wall clock for its retransmission timer;
/// `DTLSTimer` takes that decision from it, so that the same code runs on virtual time.
public final class DTLSHandshake {
    /// Where the association is.
    public enum State: Sendable {
        case handshaking
        /// `receive` is what the peer seals with, `send` what we seal with.
        case connected(profile: SRTPProfile, receive: SRTPMasterKey, send: SRTPMasterKey)
        case failed(reason: String)
        /// The peer sent close_notify or a fatal alert, or `close` was called.
        case closed
    }

    public private(set) var state = State.handshaking

    /// When `handleTimeout` wants to be called; nil when nothing is outstanding.
    public private(set) var timeout: UInt64?

    private let ssl: OpaquePointer
    /// Memory BIOs; the `SSL` owns them.
    private let input: OpaquePointer
    private let output: OpaquePointer
    private let role: DTLSRole
    private let peer: Fingerprint
    private let mtu: Int
    private let timer = DTLSTimer()
    private var outgoing: [[UInt8]] = []
    /// What `verify` found.
    private var peerMatches: Bool?

    /// In the client role the ClientHello is ready at once.
    ///
    /// - Parameters:
    ///   - peer: what the peer's certificate must hash to.
    ///   - mtu: the largest datagram that we make, bytes of UDP payload, at least 256.
    public init(
        certificate: Certificate, role: DTLSRole, peer: Fingerprint, mtu: Int = 1200, now: UInt64
    ) throws(DTLSError) {
        guard let ssl = SSL_new(certificate.context) else { throw .last("SSL_new") }
        guard let input = BIO_new(BIO_s_mem()), let output = BIO_new(BIO_s_mem()) else {
            SSL_free(ssl)
            throw .last("BIO_new")
        }
        SSL_set_bio(ssl, input, output)
        self.ssl = ssl
        self.input = input
        self.output = output
        self.role = role
        self.peer = peer
        self.mtu = max(mtu, 256)
        _ = needletail_set_mtu(ssl, self.mtu)
        guard needletail_set_owner(ssl, Unmanaged.passUnretained(self).toOpaque()) == 1 else {
            throw .last("SSL_set_app_data")
        }
        timer.attach(to: ssl, input: input)
        switch role {
        case .server: SSL_set_accept_state(ssl)
        case .client:
            SSL_set_connect_state(ssl)
            advance(now: now)
        }
    }

    deinit {
        timer.detach(from: ssl, input: input)
        SSL_free(ssl)
    }

    /// Takes a datagram. Whatever is in it, an established association stays, unless the peer ended it.
    public func receive(_ datagram: UnsafeRawBufferPointer, now: UInt64) {
        // RFC 7983 section 7; and no UDP datagram of DTLS is larger than one record of the largest size.
        guard let first = datagram.first, (20...63).contains(first), datagram.count <= 18_432 else { return }
        for record in DTLSRecords(datagram) {
            switch state {
            case .failed, .closed: return
            case .handshaking, .connected: break
            }
            guard DTLSCipher.admits(record, of: ssl) else { continue }
            take(record, now: now)
        }
    }

    /// An established association hears nothing for hours: the 33 KiB of OpenSSL's record buffers are given back until then.
    private func rest() {
        if case .connected = state { _ = SSL_free_buffers(ssl) }
    }

    private func wake() {
        if case .connected = state { _ = SSL_alloc_buffers(ssl) }
    }

    /// To OpenSSL a record is a datagram of its own.
    private func take(_ record: DTLSRecord, now: UInt64) {
        wake()
        defer { rest() }
        let count = Int32(record.bytes.count)
        guard BIO_write(input, record.bytes.baseAddress, count) == count else { return }
        advance(now: now)
        // What an error left behind must not be glued to the next one.
        _ = needletail_reset_bio(input)
    }

    /// Retransmits the last flight when `timeout` has passed (RFC 6347 section 4.2.4), with a doubled interval; the
    /// handshake fails when that did not help 12 times.
    public func handleTimeout(now: UInt64) {
        guard let timeout, timeout <= now, case .handshaking = state else { return }
        ERR_clear_error()
        timer.expire()
        if needletail_handle_timeout(ssl) < 0 {
            fail("the peer did not answer")
        }
        collectOutgoing()
        updateTimeout(now: now)
    }

    /// The next datagram to send; nil when there is none.
    public func nextOutgoing() -> [UInt8]? {
        outgoing.isEmpty ? nil : outgoing.removeFirst()
    }

    /// Ends the association: close_notify is ready to be sent when it was established.
    public func close() {
        switch state {
        case .failed, .closed: return
        case .connected:
            wake()
            ERR_clear_error()
            SSL_shutdown(ssl)
            collectOutgoing()
        case .handshaking: break
        }
        state = .closed
        timeout = nil
    }

    /// Compares the peer's certificate with what its session description promised (RFC 8122 section 6.2): the only
    /// check, as the certificates are self-signed.
    fileprivate func verify(_ certificate: OpaquePointer?) -> Bool {
        let matches = certificate.flatMap { Fingerprint(of: $0, algorithm: peer.algorithm) } == peer
        peerMatches = matches
        return matches
    }

    private func advance(now: UInt64) {
        ERR_clear_error()
        if case .handshaking = state {
            let result = SSL_do_handshake(ssl)
            if result == 1 {
                finish()
            } else if SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ {
                fail(peerMatches == false ? "the peer's certificate is not the one of its fingerprint" : nil)
            }
        }
        if case .connected = state { readRecords() }
        collectOutgoing()
        updateTimeout(now: now)
    }

    /// Lets OpenSSL see alerts and retransmitted flights; application data have no meaning here.
    private func readRecords() {
        var scratch = [UInt8](repeating: 0, count: 2048)
        var result: Int32 = 1
        while result > 0 { result = SSL_read(ssl, &scratch, Int32(scratch.count)) }
        // Records that cannot be authenticated never get as far as this flag.
        if SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN != 0 { state = .closed }
        ERR_clear_error()
    }

    private func finish() {
        guard peerMatches == true else { return fail("the peer showed no certificate") }
        guard let selected = SSL_get_selected_srtp_profile(ssl),
            let profile = SRTPProfile(rawValue: UInt16(truncatingIfNeeded: selected.pointee.id))
        else { return fail("no SRTP protection profile in common") }
        guard let keys = exportKeys(profile) else { return fail("the keys could not be exported") }
        let (client, server) = keys
        state =
            switch role {
            case .server: .connected(profile: profile, receive: client, send: server)
            case .client: .connected(profile: profile, receive: server, send: client)
            }
    }

    /// RFC 5764 section 4.2: the client's key, the server's key, the client's salt, the server's salt.
    private func exportKeys(_ profile: SRTPProfile) -> (client: SRTPMasterKey, server: SRTPMasterKey)? {
        let label = "EXTRACTOR-dtls_srtp"
        let (key, salt) = (profile.keyLength, profile.saltLength)
        var material = [UInt8](repeating: 0, count: 2 * (key + salt))
        let count = material.count
        guard SSL_export_keying_material(ssl, &material, count, label, label.utf8.count, nil, 0, 0) == 1,
            let client = SRTPMasterKey(
                profile: profile, key: Array(material[..<key]), salt: Array(material[2 * key..<2 * key + salt])),
            let server = SRTPMasterKey(
                profile: profile, key: Array(material[key..<2 * key]), salt: Array(material[(2 * key + salt)...]))
        else { return nil }
        return (client, server)
    }

    private func fail(_ reason: String?) {
        state = .failed(reason: reason ?? lastOpenSSLReason() ?? "the handshake failed")
        ERR_clear_error()
    }

    private func collectOutgoing() {
        let count = BIO_ctrl_pending(output)
        guard count > 0 else { return }
        var bytes = [UInt8](repeating: 0, count: count)
        guard BIO_read(output, &bytes, Int32(count)) == Int32(count) else { return }
        outgoing += splitIntoDatagrams(bytes, mtu: mtu)
    }

    private func updateTimeout(now: UInt64) {
        guard case .handshaking = state, needletail_timer_runs(ssl) == 1 else {
            timeout = nil
            return
        }
        if timer.takeRestart() || timeout == nil {
            timeout = now &+ timer.interval
        } else if let passed = timeout, passed <= now {
            // Only with an OpenSSL whose own clock decides, and is a little behind: ask again soon.
            timeout = now &+ 20_000_000
        }
    }
}

/// OpenSSL's question for each chain that a peer shows; 1 accepts it.
func verifyPeer(_ store: OpaquePointer?, _: UnsafeMutableRawPointer?) -> Int32 {
    guard let ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()),
        let owner = needletail_owner(OpaquePointer(ssl))
    else { return 0 }
    let handshake = Unmanaged<DTLSHandshake>.fromOpaque(owner).takeUnretainedValue()
    if handshake.verify(X509_STORE_CTX_get0_cert(store)) { return 1 }
    X509_STORE_CTX_set_error(store, Int32(X509_V_ERR_CERT_REJECTED))
    return 0
}
