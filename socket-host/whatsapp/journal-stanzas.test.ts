import { encodeWAMessage, proto } from "@whiskeysockets/baileys";
import type { BinaryNode } from "@whiskeysockets/baileys";
import { EventEmitter } from "node:events";
import { beforeEach, describe, expect, it } from "vitest";
import { eventSchemas } from "../../shared/events.ts";
import { messageIdFor } from "../../shared/ids.ts";
import type { DeviceId } from "../../shared/ids.ts";
import { AddressBook } from "./address-book.ts";
import { readJournaled } from "./decode/journaled.ts";
import { messageEvent } from "./decode/message-event.ts";
import { journalStanzas } from "./journal-stanzas.ts";
import { ourParty } from "./testing/signal-party.ts";

const ME = { jid: "6281100000001@s.whatsapp.net", phone: "6281100000001", lid: "91100000001" };
const ANI = { jid: "6281234567890@s.whatsapp.net", phone: "6281234567890", lid: "91200000002" };
const BUDI = { jid: "91300000003@lid", phone: null, lid: "91300000003" };
const GROUP = "120363000000000001@g.us";
/** In no outbox: receipts come when that has long forgotten the message. */
const [OURS, OURS_2] = [messageIdFor("shop" as DeviceId, "cmd_1"), messageIdFor("shop" as DeviceId, "cmd_2")];
const TYPED_ON_PHONE = "3A5F7C0E9B21D4A86E13";
const T = { t: "1795357369" };
const AT = new Date(1_795_357_369_000);

const node = (tag: string, attrs: Record<string, string> = {}, content?: BinaryNode["content"]): BinaryNode => ({
  tag,
  attrs,
  ...(content !== undefined && { content }),
});

describe("what the server brings besides encrypted messages", () => {
  let ws: EventEmitter;
  let state: Awaited<ReturnType<typeof stateOf>>;
  /** The stanza comes; answers what the journal holds as soon as the listener has returned. */
  const arrives = (event: string, stanza: BinaryNode) => {
    ws.emit(event, stanza);
    const reader = { creds: state.creds, book: new AddressBook(state) };
    return [...state.inbox.values()].map((entry) => readJournaled(entry, reader));
  };
  const facts = (event: string, stanza: BinaryNode) => {
    const events = arrives(event, stanza).flatMap((one) => [...one.messages.map(messageEvent), ...one.facts]);
    for (const { type, data } of events) expect(eventSchemas[type].parse({ type, data })).toEqual({ type, data });
    return events;
  };

  beforeEach(async () => {
    ws = new EventEmitter();
    state = await stateOf();
    journalStanzas(ws, state, (jid) => jid === "status@broadcast");
  });

  describe("receipts", () => {
    const receipt = (attrs: Record<string, string>, content?: BinaryNode[]) =>
      arrives("CB:receipt", node("receipt", { id: OURS, ...T, ...attrs }, content)).flatMap((one) => one.receipts);

    it.each([
      [undefined, "delivered"],
      ["inactive", "delivered"],
      ["read", "read"],
      ["played", "played"],
    ])("of type %s mean %s", (type, status) => {
      expect(receipt({ from: ANI.jid, ...(type && { type }) })).toEqual([
        { chat: ANI.jid, participant: null, messageIds: [OURS], status },
      ]);
    });

    it("name the chat by phone number, and in a group who has received", () => {
      const participant = `${ANI.lid}:3@lid`;
      expect(receipt({ from: `${ANI.lid}@lid`, sender_pn: ANI.jid })).toMatchObject([{ chat: ANI.jid }]);
      expect(receipt({ from: GROUP, participant, participant_pn: ANI.jid, type: "read" })).toMatchObject([
        {},
        { chat: GROUP, participant: ANI, status: "read" },
      ]);
    });

    it("come for several messages at once, and for several people", () => {
      const list = node("list", {}, [node("item", { id: TYPED_ON_PHONE }), node("item", { id: OURS_2 })]);
      expect(receipt({ from: ANI.jid }, [list])).toMatchObject([{ messageIds: [OURS, OURS_2] }]);
      const users = [node("user", { jid: `${ANI.lid}@lid` }), node("user", { jid: BUDI.jid })];
      expect(receipt({ from: GROUP, type: "read" }, [node("participants", { key: OURS_2 }, users)])).toMatchObject([
        {},
        { participant: ANI, messageIds: [OURS_2] },
        { participant: BUDI, messageIds: [OURS_2] },
      ]);
    });

    it("are nobody's business when they are for other messages, or of our own devices", () => {
      expect(receipt({ id: TYPED_ON_PHONE, from: ANI.jid })).toEqual([]);
      expect(receipt({ from: ANI.jid, type: "retry" })).toEqual([]);
      expect(receipt({ from: ME.jid, recipient: ANI.jid })).toEqual([]);
      expect(receipt({ from: GROUP, participant: `${ME.lid}:2@lid` })).toEqual([]);
    });
  });

  describe("changes of a group", () => {
    const actor = { participant: `${ANI.lid}@lid`, participant_pn: ANI.jid, notify: "Ani" };
    const author = { ...ANI, name: "Ani" };
    const notified = (...children: BinaryNode[]) =>
      facts("CB:notification", node("notification", { from: GROUP, type: "w:gp2", id: "7", ...T, ...actor }, children));
    const budi = node("participant", { jid: BUDI.jid });

    it.each([
      [node("subject", { subject: "Tim" }), { subject: "Tim" }],
      [node("description", { id: "1" }, [node("body", {}, Buffer.from("Isi"))]), { description: "Isi" }],
      [node("description", { id: "1" }, [node("delete")]), { description: null }],
      [node("announcement"), { announcement: true }],
      [node("not_announcement"), { announcement: false }],
      [node("locked"), { locked: true }],
      [node("unlocked"), { locked: false }],
      [node("ephemeral", { expiration: "86400" }), { disappearingSeconds: 86_400 }],
      [node("not_ephemeral"), { disappearingSeconds: 0 }],
      [node("member_add_mode", {}, Buffer.from("admin_add")), { onlyAdminsAdd: true }],
      [node("membership_approval_mode", {}, [node("group_join", { state: "on" })]), { joinApproval: true }],
      [node("invite", { code: "C0DE" }), { inviteCode: "C0DE" }],
    ])("of what it is and who may do what: %j", (child, changes) => {
      expect(notified(child)).toMatchObject([
        { type: "group.updated", occurredAt: AT, data: { group: GROUP, author, action: "updated", changes } },
      ]);
    });

    it("of its picture", () => {
      const stanza = (child: BinaryNode) =>
        node("notification", { from: GROUP, type: "picture", id: child.tag, ...T }, [child]);
      facts("CB:notification", stanza(node("set", { id: "1", author: `${ANI.lid}@lid` })));
      expect(facts("CB:notification", stanza(node("delete", { author: BUDI.jid })))).toMatchObject([
        { data: { changes: { picture: "changed" }, author: { jid: ANI.jid } } },
        { data: { changes: { picture: "removed" }, author: { jid: BUDI.jid } } },
      ]);
    });

    it.each([
      [node("add", {}, [budi]), "add", null],
      [node("add", { reason: "invite" }, [budi]), "add", "invite"],
      [node("remove", {}, [budi]), "remove", null],
      [node("promote", {}, [budi]), "promote", null],
      [node("demote", {}, [budi]), "demote", null],
      [node("modify", {}, [budi]), "change_number", null],
      [
        node("created_membership_requests", { request_method: "invite_link" }, [
          node("requested_user", { jid: BUDI.jid }),
        ]),
        "join_request",
        "invite_link",
      ],
      [node("revoked_membership_requests", {}, [budi]), "join_request_rejected", null],
    ])("of who is in it: %j", (child, action, method) => {
      expect(notified(child)).toMatchObject([
        { type: "group.participants", data: { group: GROUP, author, action, participants: [BUDI], method } },
      ]);
    });

    it("that people make themselves", () => {
      const own = node("participant", { jid: `${ANI.lid}@lid`, phone_number: ANI.jid });
      expect(notified(node("remove", {}, [own]), node("revoked_membership_requests", {}, [own]))).toMatchObject([
        { data: { action: "leave", participants: [ANI] } },
        { data: { action: "join_request_withdrawn", participants: [ANI] } },
      ]);
    });

    it("are told whole to who is new in it", () => {
      const group = node("group", { subject: "Baru" }, [
        node("announcement"),
        node("ephemeral", { expiration: "60" }),
        budi,
      ]);
      const changes = { subject: "Baru", announcement: true, disappearingSeconds: 60 };
      expect(notified(node("create", { type: "new" }, [group]))).toMatchObject([
        { data: { action: "created", changes } },
      ]);
    });

    it("are one fact each, however often the server brings the stanza", () => {
      const [first] = notified(node("locked"));
      const again = notified(node("locked"));
      expect(again).toHaveLength(1);
      expect(again[0]?.dedupeKey).toBe(first?.dedupeKey);
    });

    it("tell who is who", () => {
      const cici = { jid: "91400000004@lid", phone_number: "6281400000004@s.whatsapp.net" };
      notified(node("create", {}, [node("group", { subject: "Baru" }, [node("participant", cici)])]));
      const known = new AddressBook(state).addressesOf("91400000004:7@lid");
      expect(known).toEqual({ jid: cici.phone_number, phone: "6281400000004", lid: "91400000004" });
    });

    it("and no other notification", () => {
      const stanza = node("notification", { from: ANI.jid, type: "picture", id: "1", ...T }, [
        node("set", { id: "2" }),
      ]);
      expect(facts("CB:notification", stanza)).toEqual([]);
    });
  });

  describe("calls", () => {
    const call = (child: BinaryNode) =>
      facts("CB:call", node("call", { from: ANI.jid, id: "1", ...T, notify: "Ani" }, [child]));
    const creator = { "call-id": "CALL", "call-creator": `${ANI.lid}:0@lid`, caller_pn: ANI.jid };
    const from = { ...ANI, name: "Ani" };

    it("are told when they are offered, with what they are", () => {
      expect(call(node("offer", creator, [node("audio"), node("video")]))).toMatchObject([
        {
          type: "call.received",
          data: { callId: "CALL", from, status: "offered", isVideo: true, isGroup: false, group: null },
        },
      ]);
      expect(call(node("offer", { ...creator, "call-id": "GROUP", "group-jid": GROUP }))).toMatchObject([
        {},
        { data: { isVideo: false, isGroup: true, group: GROUP } },
      ]);
    });

    it.each([
      [node("terminate", { ...creator, reason: "timeout" }), "missed"],
      [node("terminate", { ...creator, reason: "accepted_elsewhere" }), "accepted_elsewhere"],
      [node("terminate", { ...creator, reason: "rejected_elsewhere" }), "rejected"],
      [node("terminate", creator), "ended"],
      [node("accept", creator), "accepted_elsewhere"],
      [node("reject", creator), "rejected"],
    ])("are told when they are over: %j", (child, status) => {
      expect(call(child)).toMatchObject([{ dedupeKey: `call|CALL|${status}`, data: { status, from } }]);
    });

    it("are not told while they are set up", () => {
      expect(call(node("relaylatency", creator))).toEqual([]);
    });
  });

  describe("messages that are not encrypted", () => {
    const attrs = { from: ANI.jid, id: "M1", ...T, type: "text" };
    const plain = proto.Message.encode({ conversation: "polos" }).finish();

    it("are journaled as they came, once", () => {
      const stanza = node("message", attrs, [node("plaintext", {}, plain)]);
      arrives("CB:message", stanza);
      const events = facts("CB:message", stanza);
      expect(events).toMatchObject([{ type: "message.received", data: { messageId: "M1", text: "polos" } }]);
    });

    it("are told as such when their content is kept from us, or wait for our phone's answer", () => {
      const unavailable = (id: string, type?: string) =>
        node("message", { ...attrs, id }, [node("unavailable", type ? { type } : {})]);
      const events = facts("CB:message", unavailable("ONCE", "view_once"));
      expect(events).toMatchObject([{ data: { messageId: "ONCE", messageType: "unsupported", kind: "view_once" } }]);
      for (const id of ["ASKED", "ASKED"]) arrives("CB:message", unavailable(id));
      arrives("CB:message", unavailable("BOT", "bot_unavailable_fanout"));
      expect([...state.inbox.keys()]).toEqual(["unavailable:ONCE", "unavailable:ASKED"]);
    });

    it("are not when they are encrypted, or nobody's business", () => {
      arrives(
        "CB:message",
        node("message", attrs, [node("enc", { type: "msg" }, encodeWAMessage({ conversation: "x" }))]),
      );
      arrives("CB:message", node("message", { ...attrs, from: "status@broadcast" }, [node("plaintext", {}, plain)]));
      expect(state.inbox.size).toBe(0);
    });
  });
});

/** A device that knows Ani by both names, and has sent two messages. */
async function stateOf() {
  const { state } = await ourParty(ME.jid);
  state.creds.me = { id: `${ME.phone}:1@s.whatsapp.net`, lid: `${ME.lid}:1@lid` };
  state.set({ "lid-mapping": { [ANI.phone]: ANI.lid, [`${ANI.lid}_reverse`]: ANI.phone } });
  return state;
}
