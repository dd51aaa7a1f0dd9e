import Meetings
import Store

/// Which part of a chat is wanted.
enum ChatPlace: Hashable, Sendable {
    case newest
    case before(ChatMessageID)
    case after(ChatMessageID)
}

/// A part of a chat, the oldest message first.
struct ChatPage: Equatable, Sendable {
    var messages: [ChatMessage]
    var hasPrevious: Bool
    var hasNext: Bool
}

/// What a reader is shown of a meeting's chat: the latest messages from memory, and those before them from the Store.
struct ChatHistory: Sendable {
    let log: ChatLog
    let store: MeetingStore?
    let meeting: MeetingID
    let reader: ChatReader
    let search: ChatSearch?
    /// Messages of one page.
    let limit: Int

    /// - Throws: `chatNotFound` of a message that the place names, and the reader may not read; `Problem` 503
    ///   `store_unavailable` where one of the Store is wanted.
    func page(_ place: ChatPlace) async throws -> ChatPage {
        switch place {
        case .newest:
            let found = try await last(of: recent)
            return ChatPage(messages: found.suffix(limit), hasPrevious: found.count > limit, hasNext: false)
        case .before(let id):
            let found: [ChatMessage]
            if let number = number(of: id) {
                found = try await last(of: recent.filter { $0.number < number })
            } else {
                found = try await stored(.before(0), limit + 1, from: id)
            }
            return ChatPage(messages: found.suffix(limit), hasPrevious: found.count > limit, hasNext: true)
        case .after(let id):
            let number = number(of: id)
            var found = number == nil ? try await stored(.after(0), limit + 1, from: id) : []
            found += recent.filter { $0.number > number ?? 0 }.prefix(limit + 1 - found.count)
            return ChatPage(messages: Array(found.prefix(limit)), hasPrevious: true, hasNext: found.count > limit)
        }
    }

    /// Those in memory that are wanted.
    private var recent: [ChatMessage] {
        log.messages.filter { message in
            guard message.isReadable(by: reader) else { return false }
            return search.map { !message.isDeleted && $0.matches(message.text) } ?? true
        }
    }

    private func number(of id: ChatMessageID) -> UInt64? {
        log[id].flatMap { $0.isReadable(by: reader) ? $0.number : nil }
    }

    /// The last ones of a page and one more, which says that there are more; `known` are those in memory.
    private func last(of known: [ChatMessage]) async throws -> [ChatMessage] {
        let missing = limit + 1 - known.count
        guard missing > 0 else { return known.suffix(limit + 1) }
        return try await stored(.before(.max), missing) + known
    }

    /// Those that memory has no more.
    ///
    /// - Parameter cursor: counts instead of the number of `direction`.
    private func stored(
        _ direction: ChatQuery.Direction, _ count: Int, from cursor: ChatMessageID? = nil
    ) async throws -> [ChatMessage] {
        guard let store, log.isCut else {
            if cursor != nil { throw MeetingError.chatNotFound }
            return []
        }
        let end = log.messages.first?.number ?? .max
        let query = ChatQuery(direction, end: end, reader: reader, search: search, limit: count)
        let found: [ChatMessage]?
        do {
            found = try await store.chat(query, in: meeting, from: cursor)
        } catch {
            throw Problem(503, "store_unavailable", "Older messages cannot be read just now.", retryAfter: 5)
        }
        guard let found else { throw MeetingError.chatNotFound }
        return found
    }
}
