import Meetings

/// What clients say of polls; `poll_create` has the fields of the call of REST.
extension ClientMessage {
    struct PollVote: Decodable {
        private enum CodingKeys: String, CodingKey {
            case options
            case pollID = "poll_id"
        }

        private var pollID: String
        /// Places in the poll's options.
        var options: [Int]

        /// - Throws: `pollNotFound` for what is no identifier.
        var id: PollID {
            get throws { try PollID(named: pollID) }
        }
    }

    /// Of `poll_close` and `poll_delete`.
    struct PollReference: Decodable {
        private enum CodingKeys: String, CodingKey {
            case pollID = "poll_id"
        }

        private var pollID: String

        /// - Throws: `pollNotFound` for what is no identifier.
        var id: PollID {
            get throws { try PollID(named: pollID) }
        }
    }
}
