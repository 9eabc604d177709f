import { logObjects } from "./log-objects.ts";
import type { LogObjects, Place } from "./log-objects.ts";
import { DeviceMemory } from "./memory.ts";
import { readEntries } from "./read-entries.ts";
import { decodeRecords } from "./records.ts";
import { SealError } from "./seal.ts";

/** While it is read, its owner may put a newer snapshot in the place of the one that is being read. */
const TRIES = 3;

/**
 * The credentials that are stored for a device, or new ones when there are none, without taking the device over: its
 * owner does not notice. Not for anything that acts as the device. `unreadable`: a person must look. Throws when the
 * store does not answer.
 */
export async function peekCredentials<Creds extends object>(
  place: Place,
  newCreds: () => Creds,
): Promise<Creds | "unreadable"> {
  const objects = logObjects(place);
  for (let tries = 1; tries <= TRIES; tries++) {
    try {
      const bodies = await readBodies(objects);
      if (!bodies) continue;
      const memory = new DeviceMemory(newCreds);
      for (const body of bodies) for (const record of decodeRecords(body)) memory.restore(record);
      return memory.creds;
    } catch (error) {
      if (!(error instanceof SealError)) throw error;
      return "unreadable";
    }
  }
  return "unreadable";
}

/** Undefined when something was missing. */
async function readBodies(objects: LogObjects): Promise<Buffer[] | undefined> {
  const head = (await objects.readHead())?.head;
  const snapshot = head ? await objects.readSnapshot(head) : [];
  const read = await readEntries(objects, head?.snapSeq ?? 0);
  return snapshot && read && [...snapshot, ...read.entries.map(({ body }) => body)].filter((body) => body.length);
}
