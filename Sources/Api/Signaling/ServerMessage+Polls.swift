import Meetings
import NIOCore

/// What the server says of polls.
extension ServerMessage {
    /// A poll that is new, or closed, without what one reader alone may see.
    struct PollChanged: Encodable {
        var type = "poll"
        var poll: PollJSON
    }

    /// How a poll's votes stand.
    struct PollResults: Encodable {
        var type = "poll_results"
        var pollId: String
        var counts: [Int]
        var voters: Int

        init(_ poll: Poll) {
            pollId = poll.id.rawValue
            counts = poll.counts
            voters = poll.voters
        }
    }

    /// For hosts: what these have chosen by now, in a poll that is not anonymous.
    struct PollBallots: Encodable {
        var type = "poll_ballots"
        var pollId: String
        var ballots: [BallotJSON]
    }

    struct PollDeleted: Encodable {
        var type = "poll_deleted"
        var pollId: String
    }

    /// `polls`: all of a meeting, each as it is encoded for everybody, with what the reader alone may see.
    static func polls(_ polls: some Sequence<(poll: Poll, entry: [UInt8])>, for reader: PollReader) -> ByteBuffer {
        var json = JSONText()
        json.add(#"{"type":"polls","polls":"#)
        json.add(list: polls) { json, item in
            json.add(item.entry)
            json.reopen()
            if let vote = reader.participant.flatMap({ item.poll.ballots[$0] })?.choice {
                json.add(#","vote":"#)
                json.add(list: vote.indices) { json, index in json.add(Array("\(index)".utf8)) }
            }
            if reader.isHost, !item.poll.isAnonymous {
                json.add(#","ballots":"#)
                json.add(JSON.encode(BallotJSON.all(of: item.poll)))
            }
            json.add("}")
        }
        json.add("}")
        return TextFrame.wrap(json.bytes)
    }
}
