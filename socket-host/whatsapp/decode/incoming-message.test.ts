import { encodeWAMessage, proto } from "@whiskeysockets/baileys";
import { beforeAll, describe, expect, it } from "vitest";
import type { JournalEntry } from "../../device-state/state.ts";
import { AddressBook } from "../address-book.ts";
import { journalMessage } from "../journal-message.ts";
import { ourParty } from "../testing/signal-party.ts";
import { incomingMessages } from "./incoming-message.ts";
import { messageEvent } from "./message-event.ts";

const ME = { jid: "6281100000001@s.whatsapp.net", phone: "6281100000001", lid: "91100000001" };
const ANI = { jid: "6281234567890@s.whatsapp.net", phone: "6281234567890", lid: "91200000002" };
const GROUP = "120363000000000001@g.us";

const { REVOKE, MESSAGE_EDIT, PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE } = proto.Message.ProtocolMessage.Type;

describe("a message that came in", () => {
  let state: Awaited<ReturnType<typeof ourParty>>["state"];
  let count = 0;

  beforeAll(async () => {
    ({ state } = await ourParty(ME.jid));
    state.creds.me = { id: `${ME.phone}:1@s.whatsapp.net`, lid: `${ME.lid}:1@lid` };
    state.set({ "lid-mapping": { [ANI.phone]: ANI.lid, [`${ANI.lid}_reverse`]: ANI.phone } });
  });

  const journaled = (attrs: Record<string, string>, message: proto.IMessage): JournalEntry => {
    const key = `key-${++count}`;
    journalMessage(state, {
      key,
      attrs: { id: "M1", t: "1795357369", ...attrs },
      kind: "msg",
      plain: encodeWAMessage(message),
    });
    const entry = state.inbox.get(key);
    if (!entry) throw new Error("not journaled");
    return entry;
  };
  const read = (entry: JournalEntry) => incomingMessages(entry, { creds: state.creds, book: new AddressBook(state) });
  const came = (attrs: Record<string, string>, message: proto.IMessage = { conversation: "Halo" }) => {
    const [first] = read(journaled(attrs, message));
    if (!first) throw new Error("no message");
    return first;
  };
  const own = { from: `${ME.phone}:0@s.whatsapp.net` };

  describe("is one message in whatever way it came", () => {
    const copies: [string, Record<string, string>][] = [
      ["by phone number", { from: `${ANI.phone}:4@s.whatsapp.net` }],
      ["by phone number, with the LID", { from: ANI.jid, sender_lid: `${ANI.lid}@lid` }],
      ["by LID, with the number", { from: `${ANI.lid}:4@lid`, sender_pn: ANI.jid, addressing_mode: "lid" }],
      ["by LID alone, when it is known whose that is", { from: `${ANI.lid}@lid`, addressing_mode: "lid" }],
      ["kept for us", { from: ANI.jid, offline: "3" }],
    ];
    it.each(copies)("%s", (_name, attrs) => {
      const message = came(attrs);
      expect(message.key).toBe(`message|${ANI.jid}||M1`);
      expect(message).toMatchObject({ chat: ANI, fromMe: false, sender: { ...ANI, name: null } });
    });

    it("also when a copy came before it was known whose its address is", () => {
      const someone = { phone: "6281300000009", lid: "91300000009" };
      const first = came({ from: GROUP, participant: `${someone.lid}@lid` });
      new AddressBook(state).learn([someone]);
      const again = came({
        from: GROUP,
        participant: `${someone.lid}@lid`,
        participant_pn: `${someone.phone}@s.whatsapp.net`,
      });
      expect(again.key).not.toBe(first.key);
      expect(again.otherKeys).toContain(first.key);
    });

    it("and not that of somebody else, in another group, or of the account itself", () => {
      const keys = [
        came({ from: ANI.jid }),
        came({ from: "6289999999999@s.whatsapp.net" }),
        came({ from: GROUP, participant: `${ANI.lid}@lid`, participant_pn: ANI.jid }),
        came({ from: "120363000000000002@g.us", participant: `${ANI.lid}@lid`, participant_pn: ANI.jid }),
        came({ from: GROUP, participant: "91999999999@lid" }),
        came({ ...own, recipient: ANI.jid }),
        came({ from: GROUP, participant: `${ME.lid}:0@lid` }),
      ].map(({ key }) => key);
      expect(new Set(keys).size).toBe(keys.length);
    });

    it("also when the names are learnt between two lives", () => {
      const entry = journaled({ from: "91300000003@lid" }, { conversation: "siapa?" });
      const before = read(entry)[0];
      new AddressBook(state).learn([{ phone: "6281300000003", lid: "91300000003" }]);
      const after = read(entry)[0];
      expect(after?.key).toBe(before?.key);
      expect([before?.sender.phone, after?.sender.phone]).toEqual([null, "6281300000003"]);
    });
  });

  it("from an own device lies in the chat that it was written to, by any name", () => {
    for (const attrs of [
      { recipient: ANI.jid },
      { recipient: `${ANI.lid}@lid` },
      { recipient: `${ANI.lid}@lid`, peer_recipient_pn: ANI.jid },
    ]) {
      expect(came({ ...own, ...attrs })).toMatchObject({ fromMe: true, chat: ANI, sender: ME });
    }
  });

  it("names people of a group by number, also those who are mentioned or answered", () => {
    const contextInfo = {
      stanzaId: "Q",
      participant: `${ANI.lid}@lid`,
      mentionedJid: [`${ANI.lid}@lid`, `${ME.lid}@lid`],
    };
    const attrs = { from: GROUP, participant: `${ANI.lid}:2@lid`, notify: "Ani" };
    expect(came(attrs, { extendedTextMessage: { text: "@", contextInfo } })).toMatchObject({
      chat: { jid: GROUP, phone: null, lid: null },
      sender: { ...ANI, name: "Ani" },
      content: { quoted: { messageId: "Q", sender: ANI.jid }, mentions: [ANI.jid, ME.jid] },
    });
  });

  describe("about another message names it from this account's side", () => {
    const key = { remoteJid: ME.jid, id: "T" };
    const revoke = (more: proto.IMessageKey): proto.IMessage => ({
      protocolMessage: { type: REVOKE, key: { ...key, ...more } },
    });
    const edit = (fromMe: boolean): proto.IMessage => ({
      protocolMessage: { type: MESSAGE_EDIT, key: { ...key, fromMe }, editedMessage: { conversation: "baru" } },
    });
    const reaction = (more: proto.IMessageKey): proto.IMessage => ({
      reactionMessage: { key: { ...key, ...more }, text: "x" },
    });
    const inGroup = { from: GROUP, participant: `${ANI.lid}@lid` };

    it.each<[string, Record<string, string>, proto.IMessage, object]>([
      ["their own, deleted", { from: ANI.jid }, revoke({ fromMe: true }), { fromMe: false, sender: ANI.jid }],
      [
        "ours, deleted on our phone",
        { ...own, recipient: ANI.jid },
        revoke({ fromMe: true }),
        { fromMe: true, sender: ME.jid },
      ],
      [
        "another's, deleted by an admin",
        inGroup,
        revoke({ fromMe: false, participant: "91999999999@lid" }),
        { fromMe: false, sender: "91999999999@lid" },
      ],
      [
        "ours, deleted by an admin",
        inGroup,
        revoke({ fromMe: false, participant: `${ME.lid}@lid` }),
        { fromMe: true, sender: ME.jid },
      ],
      ["their own, edited", { from: ANI.jid }, edit(true), { fromMe: false, sender: ANI.jid }],
      ["ours, which they say they have edited", { from: ANI.jid }, edit(false), { fromMe: false, sender: ANI.jid }],
      ["ours, reacted to", { from: ANI.jid }, reaction({ fromMe: false }), { fromMe: true, sender: ME.jid }],
      ["their own, reacted to", { from: ANI.jid }, reaction({ fromMe: true }), { fromMe: false, sender: ANI.jid }],
      [
        "ours in a group, reacted to",
        inGroup,
        reaction({ fromMe: false, participant: `${ME.lid}@lid` }),
        { fromMe: true, sender: ME.jid },
      ],
    ])("%s", (_name, attrs, message, expected) => {
      expect(came(attrs, message).content).toMatchObject({ target: { messageId: "T", ...expected } });
    });
  });

  describe("that had no content is taken from our own phone's answer", () => {
    const answer = (key: proto.IMessageKey): proto.IMessage => {
      const info = { key, message: { conversation: "dari HP" }, messageTimestamp: 1_795_357_000, pushName: "Ani" };
      const webMessageInfoBytes = proto.WebMessageInfo.encode(info).finish();
      const peerDataOperationResult = [{ placeholderMessageResendResponse: { webMessageInfoBytes } }];
      return {
        protocolMessage: {
          type: PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE,
          peerDataOperationRequestResponseMessage: { peerDataOperationResult },
        },
      };
    };
    const lost = { remoteJid: ANI.jid, fromMe: false, id: "LOST" };

    it("under the key that it would have had", () => {
      const [message, ...others] = read(journaled({ ...own, category: "peer" }, answer(lost)));
      expect(others).toEqual([]);
      expect(message).toMatchObject({
        key: came({ from: ANI.jid, id: "LOST" }).key,
        chat: ANI,
        content: { text: "dari HP" },
      });
      const inGroup = { remoteJid: GROUP, fromMe: false, id: "LOST", participant: ANI.jid };
      const direct = came({ from: GROUP, participant: `${ANI.lid}@lid`, participant_pn: ANI.jid, id: "LOST" });
      expect(read(journaled({ ...own, category: "peer" }, answer(inGroup)))).toMatchObject([
        { key: direct.key, sender: ANI },
      ]);
    });

    it("and from nobody else's", () => {
      expect(read(journaled({ from: ANI.jid, category: "peer" }, answer(lost)))).toEqual([]);
    });
  });

  it("of an absurd size is told without its content, and one that nobody can read not at all", () => {
    const text = "x".repeat((2 << 20) + 1);
    expect(came({ from: ANI.jid }, { conversation: text }).content).toEqual({
      messageType: "unsupported",
      kind: "oversized",
    });
    expect(read({ ...journaled({ from: ANI.jid }, {}), plain: Buffer.from([9, 9, 9]) })).toEqual([]);
    expect(read(journaled({ from: "nobody@nowhere" }, { conversation: "x" }))).toEqual([]);
  });

  it("without a time of its own has that of its arrival", () => {
    const event = messageEvent(came({ from: ANI.jid, t: "soon" }));
    expect(Date.now() - event.occurredAt.getTime()).toBeLessThan(60_000);
  });
});
