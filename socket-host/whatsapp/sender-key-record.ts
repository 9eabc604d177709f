/**
 * Repairs of sender-key records (the keys of group messages) as Baileys 7.0.0-rc14 writes them.
 *
 * 1. It stores bytes as `{"type":"Buffer","data":[1,2,…]}`, a form that its own reader does not turn back into bytes
 *    (lib/Signal/Group/sender-key-record.js with lib/Utils/generics.js): a message that arrives out of order can then
 *    never be read. Base64 can, and is a quarter of the size.
 * 2. Each time the sender distributes the same key again, a copy is appended; at six the oldest goes, the only one that
 *    still has the keys of messages that are late (addSenderKeyState). The first copy can read all that a later one
 *    can, unless it is so far behind that the cipher refuses to catch up.
 * 3. Sending skips iterations and keeps a key for each (group_cipher.js, encrypt): our own record would grow by some
 *    200 bytes per message sent.
 */
import * as z from "zod";

const bytes = z
  .object({ type: z.literal("Buffer"), data: z.union([z.array(z.int()), z.base64()]) })
  .transform(({ data }) => ({
    type: "Buffer",
    data: typeof data === "string" ? data : Buffer.from(data).toString("base64"),
  }));

const state = z.looseObject({
  senderKeyId: z.number(),
  senderChainKey: z.looseObject({ iteration: z.number(), seed: bytes }),
  senderSigningKey: z.looseObject({ public: bytes, private: bytes.optional() }),
  senderMessageKeys: z.array(z.looseObject({ iteration: z.number(), seed: bytes })),
});
type State = z.infer<typeof state>;

/** How far a chain can be turned forward (lib/Signal/Group/group_cipher.js, getSenderKey). */
const MAX_FORWARD = 2_000;

/** @param record the JSON text that Baileys stores, as bytes. What is not in the known form comes back as it is. */
export function repairSenderKeyRecord(record: Uint8Array): Uint8Array {
  const { data: states } = z.array(state).safeParse(JSON.parse(Buffer.from(record).toString()));
  if (!states) return record;
  const kept = new Map<number, State>();
  for (const copy of states) {
    const first = kept.get(copy.senderKeyId);
    if (!first) kept.set(copy.senderKeyId, withoutOwnKeys(copy));
    else if (isOutOfReach(first, copy)) {
      kept.set(copy.senderKeyId, { ...copy, senderMessageKeys: first.senderMessageKeys });
    }
  }
  return Buffer.from(JSON.stringify([...kept.values()]));
}

const isOutOfReach = (first: State, copy: State) =>
  copy.senderChainKey.iteration - first.senderChainKey.iteration > MAX_FORWARD;

/** Only the sender has the private signing key, and it never decrypts its own messages. */
function withoutOwnKeys(own: State): State {
  return own.senderSigningKey.private?.data ? { ...own, senderMessageKeys: [] } : own;
}
