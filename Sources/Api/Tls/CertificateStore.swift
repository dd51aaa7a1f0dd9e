import Agents
import Foundation
import Meetings
import Synchronization

/// A certificate chain and its key, read from two PEM files, and read again when they change. New connections get the
/// newest pair that fits together; those that are open keep theirs.
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

    private struct Loaded {
        var identity: TLSIdentity
        var validity: Validity
        /// By the protocols that they offer.
        var contexts: [[String]: TLSContext] = [:]
    }

    private struct Inside {
        var loaded: Loaded
        /// Of the files that were tried last, whether they fit or not.
        var marks: [Mark?]
    }

    private let certificate: String
    private let key: String
    private let inside: Mutex<Inside>

    /// - Parameters:
    ///   - certificate: the path of a PEM file: the leaf, then its intermediates.
    ///   - key: the path of a PEM file that holds the leaf's key.
    /// - Throws: `Refusal`.
    public init(certificate: String, key: String) throws {
        self.certificate = certificate
        self.key = key
        let marks = [Mark(certificate), Mark(key)]
        inside = Mutex(Inside(loaded: try Self.load(certificate, key), marks: marks))
    }

    public var validity: Validity { inside.withLock { $0.loaded.validity } }

    /// What a listener needs for a new connection.
    ///
    /// - Parameter protocols: what ALPN (RFC 7301) offers, the most preferred first; none: no ALPN.
    /// - Throws: what OpenSSL complains about.
    public func context(protocols: [String] = []) throws -> TLSContext {
        try inside.withLock { inside in
            if let known = inside.loaded.contexts[protocols] { return known }
            let context = try TLSContext(inside.loaded.identity, protocols: protocols)
            inside.loaded.contexts[protocols] = context
            return context
        }
    }

    /// Takes the files where they changed since the last look; true when they are in use now. Call it now and then.
    ///
    /// - Parameter isForced: also where nothing seems to have changed.
    /// - Throws: `Refusal`, once for each change; the old pair stays in use.
    @discardableResult
    public func reload(isForced: Bool = false) throws -> Bool {
        let marks = [Mark(certificate), Mark(key)]
        let isChanged = inside.withLock { inside in
            defer { inside.marks = marks }
            return inside.marks != marks
        }
        guard isChanged || isForced else { return false }
        let loaded = try Self.load(certificate, key)
        inside.withLock { $0.loaded = loaded }
        return true
    }

    private static func load(_ certificate: String, _ key: String) throws -> Loaded {
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
            validity: Validity(
                notBefore: Timestamp(milliseconds: identity.notBefore * 1_000),
                notAfter: Timestamp(milliseconds: identity.notAfter * 1_000)))
    }

    private static func read(_ path: String) throws -> [UInt8] {
        do {
            return try RegularFile.read(path)
        } catch {
            throw Refusal(description: "\(path) \(error)")
        }
    }
}
