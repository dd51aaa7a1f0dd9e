/// The latest messages of a meeting's chat, in their order. Older ones are dropped, and may be in the Store.
public struct ChatLog: Hashable, Sendable {
    /// So many messages at most, and so many bytes of their texts.
    public static let limit = 400
    public static let textLimit = 48 * 1_024

    public private(set) var messages: [ChatMessage] = []
    /// The number that was given last.
    public private(set) var lastNumber: UInt64 = 0
    private var textBytes = 0

    public init() {}

    /// Messages as they were before, in their order; of too many the latest.
    public init(_ messages: some Sequence<ChatMessage>, lastNumber: UInt64 = 0) {
        for message in messages {
            let number = max(message.number, self.lastNumber + 1)
            append(message, as: number)
        }
        self.lastNumber = max(self.lastNumber, lastNumber)
    }

    /// Whether there were messages that are not here any more.
    public var isCut: Bool { lastNumber > UInt64(messages.count) }

    public subscript(_ id: ChatMessageID) -> ChatMessage? { messages.last { $0.id == id } }

    /// The latest one that somebody may read.
    public func last(for reader: ChatReader) -> ChatMessage? { messages.last { $0.isReadable(by: reader) } }

    /// Takes a message in, or what it has become; an earlier state of one changes nothing.
    ///
    /// - Returns: the message with its number; nil where nothing changed.
    @discardableResult
    public mutating func put(_ message: ChatMessage) -> ChatMessage? {
        guard let place = messages.lastIndex(where: { $0.id == message.id }) else {
            append(message, as: lastNumber + 1)
            return messages.last
        }
        guard message.isNewer(than: messages[place]) else { return nil }
        textBytes += message.text.utf8.count - messages[place].text.utf8.count
        let number = messages[place].number
        messages[place] = message
        messages[place].number = number
        let changed = messages[place]
        trim()
        return changed
    }

    private mutating func append(_ message: ChatMessage, as number: UInt64) {
        lastNumber = number
        textBytes += message.text.utf8.count
        messages.append(message)
        messages[messages.count - 1].number = number
        trim()
    }

    /// The last one stays, however long it is.
    private mutating func trim() {
        var excess = max(0, messages.count - Self.limit)
        var rest = messages.prefix(excess).reduce(textBytes) { $0 - $1.text.utf8.count }
        while rest > Self.textLimit, excess < messages.count - 1 {
            rest -= messages[excess].text.utf8.count
            excess += 1
        }
        guard excess > 0 else { return }
        messages.removeFirst(excess)
        textBytes = rest
    }
}
