import type { MediaFiles } from "../../shared/media-files.ts";
import { Slots } from "./slots.ts";

/** Files that a host has on its disk at a time: on their way to WhatsApp, which somebody waits for, and from it. */
const OUTGOING_AT_ONCE = 4;
const RECEIVED_AT_ONCE = 4;

/** What all devices of a host share for their files. */
export type HostMedia = { files: MediaFiles; outgoing: Slots; received: Slots };

export const openHostMedia = (files: MediaFiles): HostMedia => ({
  files,
  outgoing: new Slots(OUTGOING_AT_ONCE),
  received: new Slots(RECEIVED_AT_ONCE),
});
