import { runScript } from "./run-script.ts";

/** `npm run conformance [-- --s3 URL --sqs URL --scheduler URL …]`: see local/cloud/conformance/run.ts. @returns the exit code */
export async function conformance(args: string[]): Promise<number> {
  return await runScript("local/cloud/conformance/run.ts", args);
}
