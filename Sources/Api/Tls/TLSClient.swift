import Agents
import NIOCore

/// What encrypts a client's connection, before all other handlers.
///
/// - Parameter context: a client's.
/// - Throws: `DTLSError` where OpenSSL has no memory.
public func tlsClientHandler(_ context: TLSContext) throws -> any ChannelHandler { try TLSHandler(context) }
