import Agents
import Foundation
import Meetings
import Synchronization

/// A certificate chain and its key, read from two PEM files, and read again when they change; with them, where both sides
/// prove who they are, the file of the authorities whose certificates are taken. New connections get the newest files that
/// fit together; those that are open keep theirs.
///
/// Shared by all listeners that speak TLS, whatever protocols each offers.
public final class CertificateStore: Sendable {
    /// Why a pair of files is not used: one line that names the file.
    public struct Refusal: Error, CustomStringConvertible, Equatable {
        public let description: String
    }

    /// The time in which the leaf certificate may be used (RFC 5280 section 4.1.2.5).
    public struct Validity: Sendable, Equatable {
        public var notBefore: Timestamp
        public var notAfter: Timestamp

        public func contains(_ moment: Timestamp) -> Bool { notBefore <= moment && moment <= notAfter }
    }

    /// What tells one version of a file from another; a link is followed, as tools that renew certificates set links.
    private struct Mark: Equatable {
        var size: Int64
        var inode: UInt64
        var seconds: Int
        var nanoseconds: Int

        init?(_ path: String) {
            var found = stat()
            guard stat(path, &found) == 0 else { return nil }
            size = Int64(found.st_size)
            inode = UInt64(found.st_ino)
            seconds = found.st_mtim.tv_sec
            nanoseconds = found.st_mtim.tv_nsec
        }
    }

    /// Who a connection is for.
    private enum Use: Hashable {
        case clients(protocols: [String])
        case peers(isClient: Bool)
    }

    private struct Loaded {
        var identity: TLSIdentity
        var authorities: TLSAuthorities?
        var validity: Validity
        var contexts: [Use: TLSContext] = [:]
    }

    private struct Inside {
        var loaded: Loaded
        /// Of the files that were tried last, whether they fit or not.
        var marks: [Mark?]
    }

    /// The paths of PEM files.
    private struct Paths {
        var certificate: String
        var key: String
        var authorities: String?

        var marks: [Mark?] { [Mark(certificate), Mark(key)] + (authorities.map { [Mark($0)] } ?? []) }
    }

    private let paths: Paths
    private let inside: Mutex<Inside>

    /// - Parameters:
    ///   - certificate: the path of a PEM file: the leaf, then its intermediates.
    ///   - key: the path of a PEM file that holds the leaf's key.
    ///   - authorities: the path of a PEM file: whose certificates are taken from peers; they must take this one, too.
    /// - Throws: `Refusal`.
    public init(certificate: String, key: String, authorities: String? = nil) throws {
        let paths = Paths(certificate: certificate, key: key, authorities: authorities)
        self.paths = paths
        let marks = paths.marks
        inside = Mutex(Inside(loaded: try Self.load(paths), marks: marks))
    }

    public var validity: Validity { inside.withLock { $0.loaded.validity } }

    /// What the leaf is for: the DNS names of its subjectAltName.
    public var names: [String] { inside.withLock { $0.loaded.identity.dnsNames } }

    /// What a listener needs for a new connection.
    ///
    /// - Parameter protocols: what ALPN (RFC 7301) offers, the most preferred first; none: no ALPN.
    /// - Throws: what OpenSSL complains about.
    public func context(protocols: [String] = []) throws -> TLSContext {
        try context(.clients(protocols: protocols)) { try TLSContext($0.identity, protocols: protocols) }
    }

    /// What one side of a new connection needs on which both prove who they are.
    ///
    /// - Throws: what OpenSSL complains about; `Refusal` without authorities.
    func peerContext(isClient: Bool) throws -> TLSContext {
        try context(.peers(isClient: isClient)) {
            guard let authorities = $0.authorities else { throw Refusal(description: "no authorities were given") }
            return try TLSContext($0.identity, of: authorities, isClient: isClient)
        }
    }

    private func context(_ use: Use, _ make: (Loaded) throws -> TLSContext) throws -> TLSContext {
        try inside.withLock { inside in
            if let known = inside.loaded.contexts[use] { return known }
            let context = try make(inside.loaded)
            inside.loaded.contexts[use] = context
            return context
        }
    }

    /// Takes the files where they changed since the last look; true when they are in use now. Call it now and then.
    ///
    /// - Parameter isForced: also where nothing seems to have changed.
    /// - Throws: `Refusal`, once for each change; the old pair stays in use.
    @discardableResult
    public func reload(isForced: Bool = false) throws -> Bool {
        let marks = paths.marks
        let isChanged = inside.withLock { inside in
            defer { inside.marks = marks }
            return inside.marks != marks
        }
        guard isChanged || isForced else { return false }
        let loaded = try Self.load(paths)
        inside.withLock { $0.loaded = loaded }
        return true
    }

    private static func load(_ paths: Paths) throws -> Loaded {
        let (certificate, key) = (paths.certificate, paths.key)
        let identity: TLSIdentity
        do {
            identity = try TLSIdentity(certificates: read(certificate), key: read(key))
            // What else OpenSSL holds against the pair, such as a key that is too short.
            _ = try TLSContext(identity, protocols: [])
        } catch TLSIdentity.Refusal.noCertificate {
            throw Refusal(description: "\(certificate) holds no certificate in PEM")
        } catch TLSIdentity.Refusal.noKey {
            throw Refusal(description: "\(key) holds no private key in PEM without a passphrase")
        } catch TLSIdentity.Refusal.keyOfAnother {
            throw Refusal(description: "the key of \(key) is not that of the certificate of \(certificate)")
        } catch let error as DTLSError {
            throw Refusal(description: "\(certificate) cannot be used: \(error)")
        }
        return Loaded(
            identity: identity,
            authorities: try paths.authorities.map { try authorities($0, of: identity, certificate) },
            validity: Validity(
                notBefore: Timestamp(milliseconds: identity.notBefore * 1_000),
                notAfter: Timestamp(milliseconds: identity.notAfter * 1_000)))
    }

    private static func authorities(
        _ path: String, of identity: TLSIdentity, _ certificate: String
    ) throws -> TLSAuthorities {
        guard let authorities = TLSAuthorities(try read(path)) else {
            throw Refusal(description: "\(path) holds no certificate in PEM")
        }
        if let reason = authorities.refusal(of: identity) {
            throw Refusal(description: "\(certificate) is not taken by those who trust \(path): \(reason)")
        }
        return authorities
    }

    private static func read(_ path: String) throws -> [UInt8] {
        do {
            return try RegularFile.read(path)
        } catch {
            throw Refusal(description: "\(path) \(error)")
        }
    }
}
