import { AwsError } from "../aws-error.ts";

/** Errors of the Scheduler API; code and status: the service model (API reference, "Errors" of each action). */
export const validation = (message: string) => new AwsError("ValidationException", 400, message);

/** The form in which AWS names the member of a request that breaks a constraint of the service model. */
export const constraint = (value: unknown, member: string, rule: string) =>
  validation(
    `1 validation error detected: Value '${String(value)}' at '${member}' failed to satisfy constraint: ${rule}`,
  );

export const conflict = (message: string) => new AwsError("ConflictException", 409, message);

export const scheduleNotFound = (name: string) =>
  new AwsError("ResourceNotFoundException", 404, `Schedule ${name} does not exist.`);

export const groupNotFound = (name: string) =>
  new AwsError("ResourceNotFoundException", 404, `Schedule Group ${name} does not exist.`);
