import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Longer than any 16 MB take. */
const CONVERT_WITHIN_MS = 60_000;

/**
 * Converts an audio to what phones show as a voice note: Opus, one channel, in Ogg.
 * @param to where it is written
 * @returns false where there is no ffmpeg, or it can make nothing of the file
 */
export async function toVoice(from: string, to: string): Promise<boolean> {
  const flags = ["-nostdin", "-loglevel", "error", "-i", from, "-vn", "-map_metadata", "-1"];
  const opus = ["-ac", "1", "-ar", "48000", "-c:a", "libopus", "-b:a", "32k", "-f", "ogg", to];
  try {
    await run("ffmpeg", [...flags, ...opus], { timeout: CONVERT_WITHIN_MS });
    return true;
  } catch {
    return false;
  }
}
