import Logging
import Meetings
import TestSupport
import Testing

@testable import Api

/// Messages that were valid once, bent at random and in any order.
struct SignalingMutationTests {
    private let clock = ManualClock()
    private let media = FakeMedia()
    private let hub: MeetingHub
    private let tokens: TokenAuthority
    private let logger: Logger

    init() {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        self.logger = logger
        hub = MeetingHub(limits: Limits(), media: media, clock: clock, logger: logger)
        tokens = TokenAuthority(keys: ServiceKeys(ApiNode.configuration.keys), clock: clock, development: nil)
    }

    /// With the meeting's number in its place.
    private static func valid(_ number: String, hostKey: String) -> [String] {
        let join = #""type":"join","id":1,"meeting":"\#(number)","display_name":"Ada""#
        let state = #""media_state":{"audio":true,"video":true,"screen":false,"hand_raised":true}"#
        let view = #""view":{"layout":"speaker","visible":["p_1","p_2"],"pinned":"p_1","heights":{"p_1":360}}"#
        return [
            "{\(join)}", #"{\#(join),"host_key":"\#(hostKey)"}"#, #"{\#(join),"host_key":"\#(hostKey)",\#(state)}"#,
            #"{\#(join),"offer":"v=0\r\n",\#(state),\#(view)}"#, #"{\#(join),"offer":"bad",\#(view)}"#,
            #"{\#(join),"offer":"full"}"#, #"{"type":"media_state","id":2,"audio":true,"screen":true}"#,
            #"{"type":"view","id":3,"layout":"gallery","visible":["p_1"],"heights":{"p_1":-1}}"#,
            #"{"type":"offer","id":4,"sdp":"v=0"}"#, #"{"type":"ice_restart","id":4,"sdp":"v=0"}"#,
            #"{"type":"chat","id":6,"text":"Hello","reply_to":"c_1"}"#, #"{"type":"chat","id":6,"text":"A\nB"}"#,
            #"{"type":"chat_edit","id":7,"chat_id":"c_1","text":"Hi"}"#,
            #"{"type":"chat_delete","id":8,"chat_id":"c_1"}"#,
            #"{"type":"mute_participant","id":9,"participant_id":"p_1","source":"video"}"#,
            #"{"type":"mute_all","id":9}"#, #"{"type":"remove_participant","id":9,"participant_id":"p_1"}"#,
            #"{"type":"ask_unmute","id":9,"participant_id":"p_1"}"#,
            #"{"type":"set_role","id":9,"participant_id":"p_1","role":"co_host"}"#,
            #"{"type":"allow","id":9,"screen":true,"chat":true,"unmute":false,"enter":false}"#,
            #"{"type":"reaction","id":9,"text":"\u{1f44d}"}"#,
            #"{"type":"poll_create","id":9,"question":"Tea?","options":["Yes","No"],"multiple":true,"anonymous":true}"#,
            #"{"type":"poll_vote","id":9,"poll_id":"q_1","options":[0,1]}"#,
            #"{"type":"qa_ask","id":9,"text":"Why?","anonymous":true}"#,
            #"{"type":"qa_answer","id":9,"question_id":"a_1","text":"So.","state":"answered"}"#,
            #"{"type":"promote","id":9,"participant_id":"p_1"}"#,
            #"{"type":"demote","id":9,"participant_id":"p_1"}"#,
            #"{"type":"poll_close","id":9,"poll_id":"q_1"}"#, #"{"type":"poll_delete","id":9,"poll_id":"q_1"}"#,
            #"{"type":"admit","id":9,"participant_id":"p_1"}"#, #"{"type":"admit","id":9,"all":true}"#,
            #"{"type":"deny","id":9,"participant_id":"p_1"}"#,
            #"{"type":"breakout_create","id":9,"rooms":[{"name":"One","participant_ids":["p_1"]}],"evenly":true,"duration_s":60}"#,
            #"{"type":"breakout_assign","id":9,"moves":[{"participant_id":"p_1","room_id":"r1"}]}"#,
            #"{"type":"breakout_choose","id":9,"room_id":"r1"}"#,
            #"{"type":"breakout_broadcast","id":9,"text":"Hello","voice":true}"#,
            #"{"type":"breakout_close","id":9,"after_s":1}"#,
            #"{"type":"leave","id":5}"#, #"{"type":"ping","id":"x"}"#,
        ]
    }

    @Test(arguments: 1...5)
    func whateverIsSaidNobodyStaysBehind(seed: Int) async throws {
        var random = SplitMix(seed: UInt64(seed))
        let meeting = try await hub.create(MeetingPlan(topic: "Standup"), owner: "user-1", password: nil)
        let messages = Self.valid(meeting.number.description, hostKey: meeting.hostKey)
        var joined = 0
        var refused = 0
        for _ in 0..<600 {
            let socket = NotingSocket()
            var session = SignalingSession(
                socket: socket, address: "local", hub: hub, tokens: tokens, limiter: nil, limits: Limits(),
                clock: clock, logger: logger)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                await session.hear(
                    String(decoding: bent(messages.randomElement(using: &random) ?? "", &random), as: UTF8.self))
            }
            await session.end()
            let heard = socket.take().joined()
            joined += heard.contains(#""joined""#) ? 1 : 0
            refused += heard.contains(#""error""#) ? 1 : 0
        }
        // Both ways were gone.
        #expect(joined > 20 && refused > 20, "\(joined) joined, \(refused) refused")
        clock.advanceUnheard(by: .seconds(200))
        await hub.sweep()
        #expect(await hub.isForgotten)
        #expect(media.connectedCount == 0)
    }
}

extension MeetingHub {
    /// Nobody is inside, and nothing of anybody is kept.
    fileprivate var isForgotten: Bool { catalog.participantCount == 0 && lines.isEmpty && feeds.isEmpty }
}
